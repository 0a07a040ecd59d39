"""Ids of log lines: UUIDs of version 8, made of time and key, so that their order is that of (time, key)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from db.columns import Values

Ids = NDArray[np.bytes_]  # S16: the bytes of a UUID, which numpy orders as PostgreSQL orders UUIDs
KEY_BITS = 62  # of the 63 of a key those after the version
TIME_BITS = 11  # of the time those after the version


def visit_ids(occurred: Values, key: Values) -> Ids:
    """Return the ids of log lines, as the SQL function `visit_id` does."""
    words = np.empty((len(occurred), 2), ">u8")
    time, number = occurred.astype(np.uint64), key.astype(np.uint64)
    low_time = time & np.uint64((1 << TIME_BITS) - 1)
    words[:, 0] = (
        (time >> np.uint64(TIME_BITS) << np.uint64(16))
        | np.uint64(0x8000)
        | (low_time << np.uint64(1))
        | (number >> np.uint64(KEY_BITS))
    )
    words[:, 1] = (number & np.uint64((1 << KEY_BITS) - 1)) | np.uint64(1 << 63)
    return words.view("S16")[:, 0]


def id_texts(ids: Ids) -> list[str]:
    """Return ids as text."""
    digits = ids.tobytes().hex()
    return [
        f"{digits[at : at + 8]}-{digits[at + 8 : at + 12]}-{digits[at + 12 : at + 16]}-"
        f"{digits[at + 16 : at + 20]}-{digits[at + 20 : at + 32]}"
        for at in range(0, len(digits), 32)
    ]


def ids_of_texts(texts: Sequence[str]) -> Ids:
    """Return the ids that are given as text, with their dashes."""
    return np.frombuffer(bytes.fromhex("".join(texts).replace("-", "")), "S16")
