"""Template pages as numbers that they are mixed into, equal ones into equal numbers."""

import uuid
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from db.part_files import Array, PartColumns
from service.columns.template_groups import NUMBERS, columns_of_values
from service.columns.templates import PageTemplates, mix

HALF = np.uint64(32)
MARKS = np.uint32(2**20 - 1)  # the bits of a mix by which most that are not in a set are told at once
BUCKETS = 1 << 14
BUCKET_SHIFT = np.uint32(18)  # what is left of a mix is the number of a bucket


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
        self._pages = PageTemplates(), np.empty(0, np.uint32)

    def of_part(self, token: uuid.UUID, part: PartColumns, host: str) -> tuple[Array, Array]:
        """Return the template pages of a part: places among its numbers, and mixes."""
        known = self._parts.get(token)
        if known is None:
            numbers = np.flatnonzero(part.page[part.number_rows] == 0).astype(np.int32)
            values = {name: getattr(part, name)[numbers] for name in NUMBERS}
            kinds = part.kind[part.number_rows[numbers]]
            known = self._parts[token] = numbers, mix_pages(kinds, values, hash_host(host))
        return known

    def of_pages(self, pages: PageTemplates) -> Array:
        """Return the mixes of pages that have rows of their own."""
        known, mixes = self._pages
        if known is not pages:
            columns = columns_of_values(pages.values)
            mixes = mix_pages(columns["kind"], columns, hash_hosts(pages.hosts, columns["host"]))
            self._pages = pages, mixes
        return mixes

    def drop_all_but(self, tokens: Collection[uuid.UUID]) -> None:
        """Drop the parts that are not among these."""
        for token in self._parts.keys() - set(tokens):
            self._parts.pop(token, None)


def count_in_buckets(mixes: Array) -> Array:
    """Return how many mixes there are in each bucket: no mix stands more often than its bucket has."""
    return np.bincount(mixes >> BUCKET_SHIFT, minlength=BUCKETS)


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
