"""How many distinct addresses there are of each country."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

import numpy as np

from db.part_files import Array
from db.queries.column_reads import Span
from db.read_threads import Waiting, run_while_awaited
from db.unique import distinct_sorted
from service.columns.blocks import LiveBlock
from service.columns.matching import PartFilter, count_rows, matching_rows
from service.columns.snapshot import Parts, Snapshot


async def count_country_visitors(
    snapshot: Snapshot, criteria: PartFilter, spans: Sequence[Span], live: LiveBlock | None
) -> Counter[str]:
    """Count the distinct addresses of the visits that a filter lets through by country.

    :param live: those of live visits, if there are any
    """
    seen = np.zeros(0, np.bool_)
    async for parts in snapshot.batches(spans):
        seen = await run_while_awaited(partial(mark_addresses, snapshot, criteria, parts, seen))
    ids = np.flatnonzero(seen[1:]) + 1  # 0 is not an address
    visitors = snapshot.addresses.visitors
    pairs = [(snapshot.addresses.codes[ids], ids if visitors is None else visitors[ids])]
    if live is not None:
        has_address = live.address != 0
        pairs.append((live.country[has_address], live.address[has_address]))
    return await run_while_awaited(lambda _: count_pairs(pairs, snapshot.addresses.countries))


def mark_addresses(
    snapshot: Snapshot, criteria: PartFilter, parts: Parts, seen: Array, waiting: Waiting
) -> Array:
    """Return by id which addresses are seen, in these parts or before."""
    marks = np.zeros(max(len(seen), len(snapshot.addresses.codes)), np.bool_)
    marks[: len(seen)] = seen
    for span, part in parts:
        waiting.check()
        rows = matching_rows(snapshot, criteria, span, part)
        marks[part.addresses if count_rows(rows) == len(part) else part.address[rows]] = True
    return marks


def count_pairs(pairs: Sequence[tuple[Array, Array]], countries: Sequence[str | None]) -> Counter[str]:
    """Count distinct pairs of a country and an address by country."""
    codes, addresses = (np.concatenate(column).astype(np.int64) for column in zip(*pairs, strict=True))
    width = int(addresses.max(initial=0)) + 1
    visitors = np.bincount(distinct_sorted(np.sort(codes * width + addresses)) // width).tolist()
    names = zip(countries, visitors, strict=False)  # a country that is known since has none
    return Counter({name: count for name, count in names if name is not None and count})
