"""Counts columns of visits for the roll-ups."""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from db.bulk import array_literals
from db.frames import Frame, concatenate, height, instants_at, texts_of
from db.kinds import KINDS
from db.models import Base, CategoryCountryDay, CategoryQuarter, CountryDay, RequestQuarter

QUARTER = 900_000_000  # microseconds
DAY = 86_400_000_000
DENSE = 4  # cells for each visit, up to which they are counted in an array of all cells

Integers = NDArray[np.integer]
Rollups = list[tuple[type[Base], dict[str, str]]]


@dataclass(frozen=True, slots=True)
class CountedColumns:
    """What roll-ups count visits by.

    :param occurred: microseconds since 1970
    :param kind: index into db.kinds.KINDS
    :param category_id: 0 where a visit has none
    :param country: index into `countries`, negative where it is not known
    :param is_bot: None where no visit is a bot's
    """

    occurred: Integers
    kind: Integers
    category_id: Integers
    country: Integers
    countries: list[str]
    is_bot: NDArray[np.bool_] | None = None

    def take(self, rows: NDArray[np.bool_]) -> "CountedColumns":
        """Return some of the visits, as if they were people's."""
        return CountedColumns(
            self.occurred[rows], self.kind[rows], self.category_id[rows], self.country[rows], self.countries
        )


def rollup_literals(columns: CountedColumns, *, source: str = "log", sign: int = 1) -> Rollups:
    """Write what visits add to roll-ups (`sign` 1), or take away (-1), as array literals, in their order."""
    rollups: Rollups = []
    for model, counts in count_traffic(columns):
        if rows := height(counts):
            sources = np.full(rows, source, np.object_)
            changed = counts | {"source": sources, "requests": counts["requests"] * sign}
            rollups.append((model, array_literals(changed)))
    return rollups


def count_traffic(columns: CountedColumns) -> list[tuple[type[Base], Frame]]:
    """Count people and bots apart for each roll-up."""
    if columns.is_bot is None or not columns.is_bot.any():
        return [(model, with_traffic(counts, is_bot=False)) for model, counts in count(columns)]
    pairs = zip(count(columns.take(~columns.is_bot)), count(columns.take(columns.is_bot)), strict=True)
    return [
        (model, concatenate([with_traffic(people, is_bot=False), with_traffic(bots, is_bot=True)]))
        for (model, people), (_, bots) in pairs
    ]


def with_traffic(counts: Frame, *, is_bot: bool) -> Frame:
    return counts | {"is_bot": np.full(height(counts), is_bot)}


def count(columns: CountedColumns) -> list[tuple[type[Base], Frame]]:
    """Count visits for each roll-up, in the order in which roll-ups are written."""
    quarter, day = columns.occurred // QUARTER, columns.occurred // DAY
    shown = np.flatnonzero(columns.category_id)
    located = np.flatnonzero(columns.country >= 0)
    both = shown[columns.country[shown] >= 0]
    category, kind, country = columns.category_id, columns.kind, columns.country
    names, kinds = texts_of(columns.countries), texts_of(KINDS)
    quarters, requests = count_groups(quarter)
    rollups: list[tuple[type[Base], Frame]] = [
        (RequestQuarter, {"quarter": instants_at(quarters * QUARTER), "requests": requests})
    ]
    categories, quarters, kind_indexes, requests = count_groups(category[shown], quarter[shown], kind[shown])
    counts = {
        "category_id": categories,
        "quarter": instants_at(quarters * QUARTER),
        "kind": kinds[kind_indexes],
        "requests": requests,
    }
    rollups.append((CategoryQuarter, counts))
    days, countries, requests = count_groups(day[located], country[located])
    counts = {"day": instants_at(days * DAY), "country": names[countries], "requests": requests}
    rollups.append((CountryDay, counts))
    categories, days, countries, kind_indexes, requests = count_groups(
        category[both], day[both], country[both], kind[both]
    )
    counts = {
        "category_id": categories,
        "day": instants_at(days * DAY),
        "country": names[countries],
        "kind": kinds[kind_indexes],
        "requests": requests,
    }
    rollups.append((CategoryCountryDay, counts))
    return rollups


def count_groups(*keys: Integers) -> list[NDArray[np.int64]]:
    """Return the distinct rows of the keys, in order, an array for each key, and how often each occurs."""
    if not len(keys[0]):
        return [np.empty(0, np.int64)] * (len(keys) + 1)
    spans = [(int(key.min()), int(key.max())) for key in keys]
    cells = prod(last - first + 1 for first, last in spans)
    if cells <= DENSE * len(keys[0]):
        values = [np.arange(first, last + 1) for first, last in spans]
        indexes = [
            np.subtract(key, first, dtype=np.int64) for key, (first, _) in zip(keys, spans, strict=True)
        ]
    else:
        values, indexes = map(list, zip(*map(distinct_values, keys), strict=True))
        cells = prod(map(len, values))
    codes = np.zeros(len(keys[0]), np.int64)
    for distinct, index in zip(values, indexes, strict=True):
        codes *= len(distinct)
        codes += index
    if cells <= DENSE * len(codes):
        numbers = np.bincount(codes, minlength=cells)
        groups = np.flatnonzero(numbers)
        counts = numbers[groups]
    else:
        groups, counts = np.unique(codes, return_counts=True)
    columns = []
    for distinct in reversed(values):
        groups, index = np.divmod(groups, len(distinct))
        columns.append(distinct[index])
    return [*reversed(columns), counts]


def distinct_values(key: Integers) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct values in order, and for each value which of these it is."""
    first, last = int(key.min()), int(key.max())
    if last - first > DENSE * len(key):
        distinct, index = np.unique(key, return_inverse=True)
        return distinct.astype(np.int64), index
    offsets = key - first
    present = np.bincount(offsets, minlength=last - first + 1) > 0
    places = np.cumsum(present) - 1
    return np.flatnonzero(present) + first, places[offsets]
