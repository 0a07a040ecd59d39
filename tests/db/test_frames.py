"""What is found and grouped in columns, held to the same in plain Python."""

from collections import Counter
from datetime import UTC, datetime
from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from db.frames import (
    NO_INSTANT,
    NO_NUMBER,
    days_of,
    find_rows,
    group_rows,
    instants_of,
    numbers_of,
    texts_of,
)
from db.queries.cart_counts import CartCounts, changes_between, pairs_within
from db.queries.carts import items_of

few = st.integers(-3, 3)
LARGEST = 2**63 - 1


@given(st.lists(few), st.lists(few, unique=True))
def test_a_number_is_found_where_it_stands(sought: list[int], values: list[int]) -> None:
    rows = find_rows(np.array(sought, np.int64), np.array(values, np.int64))
    assert rows.tolist() == [values.index(each) if each in values else -1 for each in sought]


@given(st.lists(st.tuples(few, few)))
def test_groups_are_in_order_and_their_rows_as_they_stood(keys: list[tuple[int, int]]) -> None:
    columns = [np.array([key[place] for key in keys], np.int64) for place in range(2)]
    order, starts = group_rows(*columns)
    assert order.tolist() == sorted(range(len(keys)), key=lambda row: keys[row])
    assert [keys[row] for row in order[starts]] == sorted(set(keys))


@given(st.lists(few).map(sorted))
def test_pairs_are_those_of_two_rows_of_a_group(groups: list[int]) -> None:
    one, other = pairs_within(np.array(groups, np.int64))
    pairs = [(a, b) for a, b in permutations(range(len(groups)), 2) if groups[a] == groups[b]]
    assert sorted(zip(one.tolist(), other.tolist(), strict=True)) == pairs


def test_columns_of_nothing_have_their_types() -> None:
    assert [of([]).dtype for of in (numbers_of, instants_of, texts_of)] == [np.int64, "M8[us]", np.object_]


def test_what_a_row_has_not_is_told_by_a_value_of_its_own() -> None:
    assert numbers_of([None, 0]).tolist() == [NO_NUMBER, 0]
    assert NO_INSTANT.view(np.int64) == NO_NUMBER
    assert np.isnat(instants_of([None, datetime(2026, 1, 1, tzinfo=UTC)])).tolist() == [True, False]


def test_a_day_begins_at_midnight_before_1970_too() -> None:
    instants = instants_of([datetime(1969, 12, 31, 23, 59, tzinfo=UTC), datetime(1970, 1, 2, tzinfo=UTC)])
    assert days_of(instants).tolist() == [-1, 1]


@given(st.lists(st.tuples(few, few, st.sampled_from([0, 1, 5, 2**62, LARGEST])), max_size=6))
def test_amounts_add_up_beyond_64_bits(lines: list[tuple[int, int, int]]) -> None:
    names = ("cart_id", "goods_id", "amount")
    columns = {name: np.array([line[place] for line in lines], np.int64) for place, name in enumerate(names)}
    items = items_of(columns)
    sums: Counter[tuple[int, int]] = Counter()
    for cart_id, goods_id, amount in lines:
        sums[cart_id, goods_id] += amount
    rows = zip(*(items[name].tolist() for name in names), strict=True)
    assert list(rows) == [(*key, amount) for key, amount in sorted(sums.items())]


Buyers = list[tuple[int, int, bool, bool]]
buyers = st.lists(st.tuples(st.integers(0, 2), few, st.booleans(), st.booleans()), max_size=6)


@given(buyers, buyers)
def test_what_a_buyer_has_paid_changes_by_the_difference(before: Buyers, after: Buyers) -> None:
    changes = changes_between(counts_of(before), counts_of(after))
    difference = Counter(after)
    difference.subtract(Counter(before))
    expected: dict[int, list[int]] = {}
    for (_, user_id, is_live, is_bot), number in difference.items():
        if number:
            expected.setdefault(user_id, [0, 0, 0, 0])[2 * is_bot + is_live] += number
    assert changes.buyers == expected


def counts_of(rows: Buyers) -> CartCounts:
    """Return what carts count for that were paid on these days, by these users."""
    day, user_id, is_live, is_bot = ([row[place] for row in rows] for place in range(4))
    paid_at = instants_of(datetime(1970, 1, 1 + each, 12, tzinfo=UTC) for each in day)
    columns = {"paid_at": paid_at, "user_id": numbers_of(user_id)}
    flags = {"is_live": np.array(is_live, np.bool_), "is_bot": np.array(is_bot, np.bool_)}
    return CartCounts(Counter(), columns | flags)
