"""Arrays that say something of each id, and grow as ids become known."""

from collections.abc import Iterable

import numpy as np

from db.part_files import Array
from db.unique import distinct

UNKNOWN = -1


def grow(array: Array, size: int) -> Array:
    """Return a copy of the array with room for so many elements; new ones are UNKNOWN."""
    if len(array) >= size:
        return array.copy()
    result = np.full(max(size, len(array) * 5 // 4), UNKNOWN, array.dtype)
    result[: len(array)] = array
    return result


def missing_ids(known: Array, columns: Iterable[Array]) -> Array:
    """Return the ids that are UNKNOWN or beyond the end."""
    missing = []
    for ids in columns:
        inside = ids < len(known)
        missing += [ids[~inside], ids[inside][known[ids[inside]] == UNKNOWN]]
    return distinct(np.concatenate(missing)) if missing else np.empty(0, np.int32)
