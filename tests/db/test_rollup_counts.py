"""Rows counted by their keys, in an array of all cells or by their distinct values."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from db.rollup_counts import count_groups

NEAR, FAR = st.integers(-2, 2), st.sampled_from((-(2**40), 0, 2**40))


@given(st.one_of(*(st.lists(st.tuples(key, NEAR), max_size=30) for key in (NEAR, FAR))))
def test_groups_are_counted_in_order(rows: list[tuple[int, int]]) -> None:
    keys = np.array(rows, np.int64).reshape(-1, 2)
    counted = count_groups(keys[:, 0], keys[:, 1].astype(np.int8))
    groups = [(one, other, number) for (one, other), number in sorted(Counter(rows).items())]
    assert list(zip(*(column.tolist() for column in counted), strict=True)) == groups
