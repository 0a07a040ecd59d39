"""Events as columns: when, by whom and of which type. A part of them never changes."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from db.array_files import Array, map_arrays, write_arrays

ARRAYS = ("occurred", "user", "users", "type")


@dataclass(frozen=True, slots=True)
class EventColumns:
    """Events in order of time.

    :param occurred: microseconds since 1970
    :param user: index into `users`
    :param users: their ids, in order, each once
    :param type: index into `types`
    :param types: their names, in order, each once
    """

    occurred: Array
    user: Array
    users: Array
    type: Array
    types: Sequence[str]

    def __len__(self) -> int:
        return len(self.occurred)

    @property
    def size(self) -> int:
        """The bytes of the arrays."""
        return sum(getattr(self, name).nbytes for name in ARRAYS)

    def since(self, begin: int) -> "EventColumns":
        """Return the events from a time on, in microseconds. Users and types without any may stay."""
        row = int(np.searchsorted(self.occurred, begin))
        return replace(self, occurred=self.occurred[row:], user=self.user[row:], type=self.type[row:])


def make_columns(occurred: Array, user_ids: Array, types: Sequence[str], type_codes: Array) -> EventColumns:
    """Make columns of events in any order.

    :param type_codes: index into `types`, where names may stand several times, or of no event
    """
    order = np.argsort(occurred, kind="stable")
    users, user = np.unique(user_ids[order], return_inverse=True)
    codes = type_codes[order]
    names = sorted({types[code] for code in np.flatnonzero(np.bincount(codes, minlength=1)).tolist()})
    places = {name: place for place, name in enumerate(names)}
    lookup = np.array([places.get(name, -1) for name in types] or [-1], np.int32)
    return EventColumns(occurred[order], user.reshape(-1).astype(np.int32), users, lookup[codes], names)


def merge_columns(parts: Sequence[EventColumns]) -> EventColumns:
    """Make one part of several."""
    types = [name for part in parts for name in part.types]
    begins = np.cumsum([0, *(len(part.types) for part in parts)])
    return make_columns(
        np.concatenate([part.occurred for part in parts]),
        np.concatenate([part.users[part.user] for part in parts]),
        types,
        np.concatenate([part.type + begin for part, begin in zip(parts, begins.tolist(), strict=False)]),
    )


def path_of(folder: Path, token: uuid.UUID) -> Path:
    return folder / f"{token.hex}.columns"


def write_file(folder: Path, token: uuid.UUID, columns: EventColumns) -> None:
    """Write a part's file.

    :raises OSError: it can't be written
    """
    arrays = {name: getattr(columns, name) for name in ARRAYS}
    write_arrays(path_of(folder, token), arrays, {"token": token.hex, "types": list(columns.types)})


def map_file(folder: Path, token: uuid.UUID) -> EventColumns | None:
    """Map a part's file; None if there is none, or it is not what was written."""
    mapped = map_arrays(path_of(folder, token))
    if mapped is None or mapped[1].get("token") != token.hex:
        return None
    arrays, about = mapped
    return EventColumns(**arrays, types=about["types"])
