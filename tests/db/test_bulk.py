"""Columns of frames as arrays of PostgreSQL, held to what PostgreSQL reads from them."""

from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db.bulk import array_literals, execute_with_arrays
from db.database import Database
from db.frames import instants_of, numbers_of, texts_of
from tests.support.examples import examples

TEXTS = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
    st.sampled_from(["NULL", "", '"', "\\", "{,}", ' "a\\" ']),
)
NUMBERS = st.none() | st.integers(1 - 2**63, 2**63 - 1)
INSTANTS = (
    st.none()
    | st.just(datetime(2024, 5, 6, tzinfo=UTC))  # equal ones stand beside each other
    | st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
)
ROWS = st.lists(st.tuples(TEXTS, NUMBERS, INSTANTS), max_size=8)
SAME = text(
    "SELECT * FROM unnest(CAST(:name AS text[]), CAST(:number AS bigint[]), CAST(:instant AS timestamptz[]))"
)


@given(ROWS)
@settings(max_examples=examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_postgresql_reads_the_arrays_as_the_rows_that_they_are_made_of(
    db: Database, rows: list[tuple[str | None, int | None, datetime | None]]
) -> None:
    arrays = array_literals(
        {
            "name": texts_of(name for name, _, _ in rows),
            "number": numbers_of(number for _, number, _ in rows),
            "instant": instants_of(instant for _, _, instant in rows),
        }
    )
    async with db.transaction() as session:
        assert [tuple(row) for row in await execute_with_arrays(session, SAME, arrays)] == rows
