"""Template pages with their counts, as columns: there may be as many as there are visits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from db.part_files import Array
from service.columns.templates import CART, PAY, SUCCESS, Template, mix

NUMBERS = ("cart_id", "goods_id", "amount", "user_id")
KEYS = ("kind", *NUMBERS, "host", "other")  # what tells groups apart
# The numbers of the URL of each kind, as they stand there; the kinds in the order of their URLs.
TEXTS = (
    (CART, ("goods_id", "amount", "cart_id")),
    (PAY, ("user_id", "cart_id")),
    (SUCCESS, ("cart_id",)),
)
FEW_HOSTS = 4  # that are gone through one by one
POWERS = np.array([10**digits for digits in range(19)], np.uint64)  # of numbers below 2 ** 63

Columns = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class TemplateGroup:
    """The visits of one template page, and of one value of the other group if there is one."""

    template: Template
    other: int
    visits: int
    visitors: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class TemplateGroups:
    """Template pages, each with a value of the other group.

    :param columns: those of KEYS, and what TemplateGroup has beside them
    """

    columns: Columns

    @classmethod
    def of_rows(cls, pieces: Sequence[Columns]) -> "TemplateGroups":
        """Count rows by KEYS. The pieces have all rows of each group, with `address` and `occurred`."""
        names = (*KEYS, "address", "occurred")
        rows = {
            name: np.concatenate([np.empty(0, np.int64), *(one[name] for one in pieces)]) for name in names
        }
        order = group_order(rows)
        rows = {name: column[order] for name, column in rows.items()}
        is_first = ~is_repeated(rows)
        begins = np.flatnonzero(is_first)
        address, occurred = rows["address"], rows["occurred"]
        is_visitor = is_first.copy()
        is_visitor[1:] |= address[1:] != address[:-1]
        is_visitor &= address != 0
        counts = {
            "visits": np.diff(begins, append=len(is_first)),
            "visitors": np.add.reduceat(is_visitor, begins, dtype=np.int64) if len(begins) else begins,
            "first": np.minimum.reduceat(occurred, begins) if len(begins) else begins,
            "last": np.maximum.reduceat(occurred, begins) if len(begins) else begins,
        }
        return cls({name: rows[name][begins] for name in KEYS} | counts)

    def __len__(self) -> int:
        return len(self.visits)

    def __or__(self, others: "TemplateGroups") -> "TemplateGroups":
        """Return both, of which no group is in both."""
        columns = {name: np.concatenate([mine, others.columns[name]]) for name, mine in self.columns.items()}
        return TemplateGroups(columns)

    @property
    def visits(self) -> Array:
        return self.columns["visits"]

    def at(self, places: Array, hosts: Sequence[str]) -> list[TemplateGroup]:
        """Return some of the groups.

        :param hosts: what the numbers of hosts stand for
        """
        columns = [self.columns[name][places].tolist() for name in KEYS[:-1]]
        counts = [
            self.columns[name][places].tolist() for name in ("other", "visits", "visitors", "first", "last")
        ]
        return [
            TemplateGroup(Template(hosts[host], *page), *numbers)
            for *page, host, numbers in zip(*columns, zip(*counts, strict=True), strict=True)
        ]


def columns_of_values(values: Array) -> dict[str, Array]:
    """Return columns of the values that PageTemplates has."""
    return dict(zip(("host", "kind", *NUMBERS), values.T, strict=True))


def group_order(rows: Columns) -> Array:
    """Return an order in which the rows of a group stand together, by address."""
    mixes = mix(*(rows[name] for name in KEYS))
    order = np.lexsort((rows["address"], mixes))
    ordered = mixes[order]
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    for name in KEYS:
        column = rows[name]
        if (column[order[same]] != column[order[same + 1]]).any():  # different groups are mixed alike
            return np.lexsort((rows["address"], *(rows[name] for name in KEYS)))
    return order


def is_repeated(rows: Columns) -> Array:
    """Return which rows are of the group of the row before."""
    result = np.zeros(len(rows["kind"]), np.bool_)
    result[1:] = True
    for name in KEYS:
        result[1:] &= rows[name][1:] == rows[name][:-1]
    return result


@dataclass(frozen=True, slots=True)
class Firsts:
    """Which of equally frequent groups may stand first: the first `most` by URL.

    :param last: the other group that these are of, where that group decides before the URL does
    :param whole: the groups before it, all of whose pages stand first
    """

    most: int
    last: int | None = None
    whole: tuple[int, ...] = ()

    def among(self, columns: Columns, chosen: Array) -> Array:
        """Return which of the chosen rows are of groups that may stand first, and perhaps of some others.

        :param columns: those of KEYS, with a row for each group
        """
        if self.last is None:
            return first_of_hosts(columns, chosen, self.most)
        others = columns["other"]
        whole = chosen & np.isin(others, self.whole)
        first: Array = whole | first_of_hosts(columns, chosen & (others == self.last), self.most)
        return first


def first_of_hosts(columns: Columns, chosen: Array, most: int) -> Array:
    """Return the first `most` chosen pages of each host; all that are chosen if there are many hosts."""
    hosts = np.unique(columns["host"][chosen])
    if len(hosts) > FEW_HOSTS:
        return chosen
    first = np.zeros(len(chosen), np.bool_)
    for host in hosts:
        first |= first_of(columns, chosen & (columns["host"] == host), most)
    return first


def first_of(columns: Columns, chosen: Array, most: int) -> Array:
    """Return the first of the chosen pages, which are of one host, by URL; more only of the last page."""
    first = np.zeros(len(chosen), np.bool_)
    for kind, names in TEXTS:
        places = np.flatnonzero(chosen & (columns["kind"] == kind))
        if most > 0:
            first[first_places(columns, places, names, most)] = True
        most -= len(places)
    return first


def first_places(columns: Columns, places: Array, names: Sequence[str], most: int) -> Array:
    """Return those of the places that stand first by the texts of numbers, with all that equal the last."""
    chosen = []
    for name, key_of in product(names, (pad, count_digits)):
        if len(places) <= most:
            break
        keys = key_of(columns[name][places])
        last = np.partition(keys, most - 1)[most - 1]
        chosen.append(places[keys < last])
        most -= len(chosen[-1])
        places = places[keys == last]
    return np.concatenate([*chosen, places])


def pad(numbers: Array) -> Array:
    """Return numbers padded with zeros at the right to the same length.

    These are in the order of texts where no digit follows; equal ones are in the order of their lengths.
    """
    return np.asarray(numbers.astype(np.uint64) * POWERS[len(POWERS) - count_digits(numbers)])


def count_digits(numbers: Array) -> Array:
    return np.maximum(np.searchsorted(POWERS, numbers.astype(np.uint64), "right"), 1)
