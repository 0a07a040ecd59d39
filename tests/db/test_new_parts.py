"""What is written to parts, roll-ups and carts in PostgreSQL's own formats reads as what it was."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from db.binary_copy import as_copy, as_numeric
from db.bulk import copy_rows
from db.database import Database
from db.queries.new_parts import encode_range, row_pieces
from db.rollup_counts import count_groups
from db.sessions import raw_connection

BIG = 2**63 - 1


@pytest.mark.parametrize("numbers", [(1, 1), (5, 9), (1, BIG), (BIG, BIG)])
async def test_a_range_holds_the_numbers_from_the_first_to_the_last(
    db: Database, numbers: tuple[int, int]
) -> None:
    async with db.transaction() as session:
        await session.execute(text("CREATE TEMPORARY TABLE range_of_carts (carts int8range) ON COMMIT DROP"))
        await copy_rows(session, "range_of_carts", ("carts",), row_pieces([encode_range(*numbers)]))
        raw = await raw_connection(session)
        [row] = await raw.fetch(
            "SELECT carts @> $1::bigint AS first, carts @> $2::bigint AS last, lower(carts) AS lower "
            "FROM range_of_carts",
            *numbers,
        )
    assert dict(row) == {"first": True, "last": True, "lower": numbers[0]}


async def test_whole_numbers_of_any_size_are_numeric(db: Database) -> None:
    numbers = [0, 1, 9999, 10_000, 10_001, 120_000_000, BIG, 2 * BIG, 10**30]
    frame = {"amount": as_numeric(np.array(numbers, np.object_))}
    async with db.transaction() as session:
        await session.execute(text("CREATE TEMPORARY TABLE sum_of (amount numeric) ON COMMIT DROP"))
        await copy_rows(session, "sum_of", ("amount",), as_copy(frame))
        rows = await session.execute(text("SELECT CAST(amount AS text) FROM sum_of ORDER BY sum_of.amount"))
        assert [row[0] for row in rows] == [str(number) for number in numbers]


small = st.integers(-3, 3)
wide = st.integers(0, 2**40)


@given(rows=st.lists(st.tuples(small, st.one_of(small, wide), small), max_size=60))
def test_groups_are_counted_as_a_counter_counts_them(rows: list[tuple[int, int, int]]) -> None:
    columns = [np.array([row[at] for row in rows], np.int64) for at in range(3)]
    *keys, counts = count_groups(*columns)
    groups = list(zip(*(key.tolist() for key in keys), strict=True))
    assert groups == sorted(groups)
    assert dict(zip(groups, counts.tolist(), strict=True)) == Counter(rows)
