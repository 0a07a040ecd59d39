"""Template pages as numbers that they are mixed into, equal ones into equal numbers."""

import uuid
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from db.part_files import Array, PartColumns
from service.columns.template_groups import NUMBERS
from service.columns.templates import mix

HALF = np.uint64(32)
MARKS = np.uint32(2**20 - 1)  # the bits of a mix by which most that are not in a set are told at once


def short_mix(*columns: Array) -> Array:
    """Mix columns into 32 bits: a few that differ are mixed alike, but sorting takes half the time."""
    return np.asarray((mix(*columns) >> HALF).astype(np.uint32))


def mix_pages(kind: Array, numbers: Mapping[str, Array], hosts: Array | np.uint64) -> Array:
    """Mix template pages.

    :param hosts: of each page what `hash_host` returns, or what it returns for all
    """
    return short_mix(kind.astype(np.uint64) + hosts, *(numbers[name] for name in NUMBERS))


def hash_host(host: str) -> np.uint64:
    return np.uint64(hash(host) & (2**63 - 1))


class PartMixes:
    """The mixes of the template pages of parts, found once a part. Threads may share it."""

    def __init__(self) -> None:
        self._parts: dict[uuid.UUID, tuple[Array, Array]] = {}

    def of_part(self, token: uuid.UUID, part: PartColumns, host: str) -> tuple[Array, Array]:
        """Return the template pages of a part: places among its numbers, and mixes."""
        known = self._parts.get(token)
        if known is None:
            numbers = np.flatnonzero(part.page[part.number_rows] == 0).astype(np.int32)
            values = {name: getattr(part, name)[numbers] for name in NUMBERS}
            kinds = part.kind[part.number_rows[numbers]]
            known = self._parts[token] = numbers, mix_pages(kinds, values, hash_host(host))
        return known

    def forget_all_but(self, tokens: Collection[uuid.UUID]) -> None:
        """Forget the parts that are not among these."""
        for token in self._parts.keys() - set(tokens):
            self._parts.pop(token, None)


def hash_hosts(hosts: Sequence[str], places: Array) -> Array:
    hashes = np.array([hash_host(host) for host in hosts], np.uint64)
    return hashes[places]


class Mixes:
    """A set of mixes."""

    def __init__(self, mixes: Array) -> None:
        """Make a set.

        :param mixes: in order, each once
        """
        self._mixes = mixes
        self._marks = np.zeros(int(MARKS) + 1, np.bool_)
        self._marks[mixes & MARKS] = True

    def __len__(self) -> int:
        return len(self._mixes)

    def has(self, mixes: Array) -> Array:
        """Return which of some mixes are in the set."""
        if not len(self._mixes):
            return np.zeros(len(mixes), np.bool_)
        result: Array = self._marks[mixes & MARKS]  # of those that are not, few pass
        places = np.flatnonzero(result)
        slots = np.searchsorted(self._mixes, mixes[places])
        slots[slots == len(self._mixes)] = 0
        result[places] = self._mixes[slots] == mixes[places]
        return result
