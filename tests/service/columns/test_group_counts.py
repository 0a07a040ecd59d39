"""Groups and what is told of them are those that plain Python finds, however few rows a table may have."""

from collections import Counter, defaultdict
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.columns import distinct, group_counts
from service.columns.distinct import LATER_THAN_ALL, NONE, GroupDetails
from service.columns.group_counts import GroupCounts

Rows = list[tuple[int, int]]
BLOCKS = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3) | st.integers(40, 60)), max_size=30), max_size=5
)
# No row fits into a table, blocks alone do, pending ones together do, all do.
BOUNDS = ((0, 0, 0), (4, 0, 0), (1, 100, 20), (0, 100, 20), (4, 1 << 20, 1 << 20))


def counted(counts: GroupCounts, need: int, without_none: int | None) -> dict[tuple[int, int], int]:
    first, second, visits = counts.result(need, without_none=without_none)
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    return dict(zip(pairs, visits.tolist(), strict=True))


@pytest.mark.parametrize("bounds", BOUNDS)
@given(
    blocks=BLOCKS,
    need=st.integers(1, 12),
    nones=st.tuples(st.sampled_from((None, 0, 1)), st.sampled_from((None, 0, 1))),
    groups=st.sampled_from((1, 2)),
)
def test_the_most_frequent_groups_have_all_their_rows(
    bounds: tuple[int, int, int],
    blocks: list[Rows],
    need: int,
    nones: tuple[int | None, int | None],
    groups: int,
) -> None:
    dense, table, pending = bounds
    without_none, none_at = nones
    if groups == 1:
        blocks, none_at = [[(first, 0) for first, _ in block] for block in blocks], None
        without_none = without_none and None
    expected = Counter(row for block in blocks for row in block if without_none is None or row[without_none])
    with (
        patch.object(group_counts, "DENSE", dense),
        patch.object(group_counts, "TABLE", table),
        patch.object(group_counts, "PENDING", pending),
    ):
        counts = GroupCounts(groups)
        for block in blocks:
            columns = [np.array([row[place] for row in block], np.int16) for place in range(groups)]
            if none_at is None or not block:
                counts.add(columns)
            else:
                rows = np.flatnonzero(columns[none_at])
                columns[none_at] = columns[none_at][rows]
                counts.add_with_none(columns, none_at, rows)
        visits_by_row = counted(counts, need, without_none)
    assert visits_by_row.items() <= expected.items()
    least = min([visits for _, visits in expected.most_common(need)], default=0)
    assert {row: visits for row, visits in visits_by_row.items() if visits >= least} == {
        row: visits for row, visits in expected.items() if visits >= least
    }


@pytest.mark.parametrize("flags", [1, 25, 1 << 20])
@given(
    blocks=st.lists(
        st.tuples(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=40), st.integers(0, 99)),
        max_size=5,
    )
)
def test_details_of_slots_are_exact_in_any_order_of_blocks(
    flags: int, blocks: list[tuple[list[tuple[int, int]], int]]
) -> None:
    slots = 4  # rows of the slot behind the last are of no group
    times, seen = defaultdict[int, list[int]](list), defaultdict[int, set[int]](set)
    with patch.object(distinct, "MAX_FLAGS", flags), patch.object(distinct, "FIRST_ROWS", 2):
        details = GroupDetails(slots, 10)
        for begin in details.rounds():
            details.begin(begin)
            for rows, start in blocks:
                details.add(
                    np.array([slot for slot, _ in rows], np.int64),
                    np.array([address for _, address in rows], np.int32),
                    np.arange(start, start + len(rows)),
                )
            details.end()
    for rows, start in blocks:
        for place, (slot, address) in enumerate(rows):
            times[slot].append(start + place)
            seen[slot] |= {address} - {0}
    assert details.visits.tolist() == [len(times[slot]) for slot in range(slots)]
    assert details.visitors.tolist() == [len(seen[slot]) for slot in range(slots)]
    assert details.first[:slots].tolist() == [
        min(times[slot], default=LATER_THAN_ALL) for slot in range(slots)
    ]
    assert details.last[:slots].tolist() == [max(times[slot], default=NONE) for slot in range(slots)]
