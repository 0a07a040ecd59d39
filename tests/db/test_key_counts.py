"""Distinct values and sums by key are those that plain Python finds, also where rare keys are left out."""

from collections import Counter
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import key_counts
from db.key_counts import count_frequent, count_keys, least_of_frequent, sum_up
from db.unique import distinct, distinct_sorted
from service.events.counting import first_places

numbers = st.lists(st.integers(0, 9) | st.integers(0, 2**62), max_size=60)


@given(numbers, st.booleans())
def test_distinct_values_are_those_of_a_set(values: list[int], is_negative: bool) -> None:
    array = np.array(values, np.int64) * (-1 if is_negative else 1)
    assert distinct(array).tolist() == sorted(set(array.tolist()))
    assert distinct_sorted(np.sort(array)).tolist() == sorted(set(array.tolist()))


def test_distinct_values_keep_their_type() -> None:
    for dtype in (np.int16, np.int32, np.uint8):
        assert distinct(np.array([3, 1, 3], dtype)).dtype == dtype


@given(numbers)
def test_keys_are_counted_and_sums_of_nothing_are_left_out(values: list[int]) -> None:
    keys = np.array(values, np.int64)
    assert dict(zip(*map(np.ndarray.tolist, count_keys(keys)), strict=True)) == Counter(values)
    counts = np.arange(len(keys)) % 3
    expected: Counter[int] = Counter()
    for key, count in zip(values, counts.tolist(), strict=True):
        expected[key] += count
    sums = dict(zip(*map(np.ndarray.tolist, sum_up(keys, counts)), strict=True))
    assert sums == {key: count for key, count in expected.items() if count}


@pytest.mark.parametrize("buckets_shift", [54, 62])  # 4 buckets: many keys share one
@given(
    values=st.lists(st.integers(0, 30) | st.integers(0, 2**40), min_size=1, max_size=300),
    need=st.integers(1, 40),
)
def test_none_of_the_most_frequent_keys_is_left_out(buckets_shift: int, values: list[int], need: int) -> None:
    keys, totals = np.array(values, np.int64), Counter(values)
    least = min(count for _, count in totals.most_common(need))
    expected = {key: count for key, count in totals.items() if count >= least}
    with (
        patch.object(key_counts, "FEW", 0),
        patch.object(key_counts, "BUCKETS", 1 << (64 - buckets_shift)),
        patch.object(key_counts, "BUCKET_SHIFT", np.uint64(buckets_shift)),
    ):
        for begin in (0, len(keys) // 2, len(keys)):  # rows, and keys that have counts
            counts = np.ones(len(keys) - begin, np.int64)
            frequent = count_frequent(keys[:begin], keys[begin:], counts, need)
            counted = dict(zip(*map(np.ndarray.tolist, frequent), strict=True))
            assert counted.items() <= totals.items()
            assert {key: count for key, count in counted.items() if count >= least} == expected


def test_rare_keys_are_left_out_where_there_are_many() -> None:
    keys = np.concatenate([np.arange(1_000_000), np.repeat(np.arange(10), 50)])
    frequent, counts = count_frequent(keys, keys[:0], keys[:0], 10)
    assert len(frequent) < 1000
    assert set(range(10)) == set(frequent[counts == 51].tolist())


@given(st.lists(st.integers(0, 2000), max_size=30), st.integers(1, 40))
def test_the_count_of_the_last_of_the_most_frequent_is_exact_up_to_a_bound(
    counts: list[int], need: int
) -> None:
    least = least_of_frequent(np.array(counts, np.int64), need)
    exact = sorted(counts, reverse=True)[need - 1] if len(counts) >= need else 0
    assert least == min(exact, key_counts.MANY)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=40),
    st.integers(1, 45),
)
def test_the_first_places_are_among_those_that_are_chosen(rows: list[tuple[int, ...]], most: int) -> None:
    keys = [np.array(column) for column in zip(*rows, strict=True)]
    places = first_places(keys, np.arange(len(rows)), most)
    order = places[np.lexsort([key[places] for key in keys[::-1]])]
    assert [rows[place] for place in order[:most].tolist()] == sorted(rows)[:most]
    assert len(set(places.tolist())) == len(places)
