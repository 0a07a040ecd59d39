"""Rows for binary COPY, held to what PostgreSQL reads from them."""

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sqlalchemy import text

from db.binary_copy import BLOCK_LIMITS, BlockLimits, Strings, as_copy, as_inet
from db.bulk import copy_rows
from db.database import Database
from db.frames import instants_of, numbers_of, texts_of
from tests.support.examples import examples

TEXTS = st.one_of(
    st.none(),
    st.just(""),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9),
    st.sampled_from(["abc", "def", "ghi", "x" * 300]),
)
INSTANTS = st.none() | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
ADDRESSES = st.one_of(st.none(), st.ip_addresses(v=4), st.ip_addresses(v=6), st.just(IPv4Address("10.0.0.1")))
ROWS = st.lists(
    st.tuples(
        TEXTS,
        st.none() | st.integers(1 - 2**63, 2**63 - 1),
        st.integers(-(2**31), 2**31 - 1),
        INSTANTS,
        ADDRESSES,
        st.integers(-5, 5),
    ),
    max_size=9,
)
Row = tuple[str | None, int | None, int, datetime | None, IPv4Address | IPv6Address | None, int]


@given(ROWS, st.integers(1, 4))
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_postgresql_reads_the_rows_of_the_frame(db: Database, rows: list[Row], block: int) -> None:
    frame: dict[str, NDArray[Any] | Strings] = {
        "name": texts_of(row[0] for row in rows),
        "large": numbers_of(row[1] for row in rows),
        "small": np.array([row[2] for row in rows], np.int32),
        "instant": instants_of(row[3] for row in rows),
        "address": as_inet(texts_of(None if row[4] is None else str(row[4]) for row in rows)),
        "never_null": numbers_of(row[5] for row in rows),
    }
    pieces = as_copy(frame, BlockLimits(rows=block))
    async with db.transaction() as session:
        await session.execute(text("DROP TABLE IF EXISTS copied"))
        await session.execute(
            text(
                "CREATE TEMPORARY TABLE copied (name text, large bigint, small integer, instant timestamptz, "
                "address inet, never_null bigint, number bigint GENERATED ALWAYS AS IDENTITY)"
            )
        )
        await copy_rows(session, "copied", list(frame), pieces)
        copied = await session.execute(
            text("SELECT name, large, small, instant, host(address), never_null FROM copied ORDER BY number")
        )
        assert [tuple(row) for row in copied] == [
            (*row[:4], None if row[4] is None else host(row[4]), row[5]) for row in rows
        ]


def host(address: IPv4Address | IPv6Address) -> str:
    """As PostgreSQL writes it."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(address) if mapped is None else f"::ffff:{mapped}"


def test_rows_are_copied_in_pieces_of_a_block() -> None:
    block = BLOCK_LIMITS.rows
    begin, *rows, end = as_copy({"number": np.arange(3 * block + 1)})
    assert [len(piece) // (2 + 4 + 8) for piece in rows] == [*3 * [block], 1]
    assert (len(begin), len(end)) == (19, 2)


def test_a_long_value_does_not_make_all_rows_wide() -> None:
    urls = ["/"] * 8192
    urls[5000] = "/" + 2047 * "x"
    _, *rows, _ = as_copy({"page_url": texts_of(urls)})
    assert sum(map(len, rows)) == 8192 * (2 + 4 + 1) + 2047
    assert len(rows) > 2  # few were laid out beside the long one
