"""Files of carts: those that were opened on a UTC day, or paid on it, as columns."""

import uuid
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar

from db.array_files import Array, map_arrays, write_arrays


@dataclass(frozen=True, slots=True)
class CartColumns:
    """Carts.

    :param at: when they were opened or paid, in microseconds since 1970
    :param is_live: whether that line was live
    """

    kind: ClassVar[str]
    at: Array
    is_live: Array
    is_bot: Array

    @property
    def size(self) -> int:
        """The bytes of the arrays."""
        return sum(getattr(self, each.name).nbytes for each in fields(self))


@dataclass(frozen=True, slots=True)
class OpenedCarts(CartColumns):
    """Carts that were opened, and whether they are paid by now."""

    kind = "opened"
    is_paid: Array


@dataclass(frozen=True, slots=True)
class PaidCarts(CartColumns):
    """Carts that were paid, by whom, and what they hold; in order of their users.

    :param user_id: 0 where it is not known
    :param place: of a cart that holds goods of the category of the same index; each pair once
    """

    kind = "paid"
    user_id: Array
    has_user: Array
    place: Array
    category_id: Array


KINDS: dict[str, type[CartColumns]] = {each.kind: each for each in (OpenedCarts, PaidCarts)}


def token_of(version: uuid.UUID, kind: str) -> uuid.UUID:
    """Return the token of the file of a version of a day."""
    return uuid.uuid5(version, kind)


def path_of(folder: Path, token: uuid.UUID) -> Path:
    return folder / f"{token.hex}.columns"


def write_file(folder: Path, token: uuid.UUID, columns: CartColumns) -> None:
    """Write a day's file.

    :raises OSError: it can't be written
    """
    arrays = {each.name: getattr(columns, each.name) for each in fields(columns)}
    write_arrays(path_of(folder, token), arrays, {"token": token.hex, "kind": columns.kind})


def map_file(folder: Path, token: uuid.UUID) -> CartColumns | None:
    """Map a day's file; None if there is none, or it is not what was written."""
    mapped = map_arrays(path_of(folder, token))
    if mapped is None or mapped[1].get("token") != token.hex:
        return None
    arrays, about = mapped
    return KINDS[about["kind"]](**arrays)
