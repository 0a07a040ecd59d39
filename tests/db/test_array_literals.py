"""Arrays written as PostgreSQL's text are the lists that they were."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.array_literals import array_literal, digest_array, number_array, text_array
from db.database import Database
from db.queries.agents import AGENTS, REFERRERS
from db.queries.cart_frames import LIVE_CARTS
from db.queries.pages import PAGES
from db.queries.stored_carts import CARTS, GOODS_CATEGORIES, ITEMS
from db.sessions import raw_connection

TEXTS = ("", "NULL", "null", 'a"b', "a\\b", "\\", '"', '","', "{a,b}", " a ", "a\nb\t", "рыба", "a,b", "\x1f")


async def test_an_array_of_texts_is_what_it_was(db: Database) -> None:
    lists: list[list[str | None]] = [[], [*TEXTS], [*TEXTS, None], [None], ["plain", "texts"]]
    lists += [[text] for text in TEXTS]
    async with db.raw() as raw:
        for texts in lists:
            assert await raw.fetchval("SELECT CAST(CAST($1 AS text) AS text[])", text_array(texts)) == texts


async def test_an_array_of_digests_or_numbers_survives_its_literal(db: Database) -> None:
    digests = [sha256(bytes([number])).digest() for number in range(5)]
    numbers = [1, None, -5]
    async with db.raw() as raw:
        for count in range(5):
            literal = digest_array(digests[:count])
            assert await raw.fetchval("SELECT CAST(CAST($1 AS text) AS bytea[])", literal) == digests[:count]
        for literal in (array_literal(numbers), number_array(numbers)):
            assert await raw.fetchval("SELECT CAST(CAST($1 AS text) AS int[])", literal) == numbers


@given(st.lists(st.text(st.characters(codec="utf-8")) | st.none()))
def test_quotes_stand_around_each_text_and_nothing_else_ends_one(texts: list[str | None]) -> None:
    literal = text_array(texts)
    inner, places = literal[1:-1], []
    is_quoted, is_escaped = False, False
    for place, character in enumerate(inner):
        if is_escaped:
            is_escaped = False
        elif character == "\\":
            is_escaped = True
        elif character == '"':
            is_quoted = not is_quoted
        elif character == "," and not is_quoted:
            places.append(place)
    assert not is_quoted
    assert len(places) == max(0, len(texts) - 1)


@pytest.mark.parametrize("statement", [AGENTS, CARTS, GOODS_CATEGORIES, ITEMS, LIVE_CARTS, PAGES, REFERRERS])
async def test_an_array_is_read_once_where_a_whole_table_is_read(db: Database, statement: str) -> None:
    async with db.transaction() as session:
        raw = await raw_connection(session)
        for way in ("indexscan", "bitmapscan"):
            await raw.execute(f"SET LOCAL enable_{way} = off")
        plan = [row[0].strip() for row in await raw.fetch(f"EXPLAIN {statement}", "{}")]
    filters = [line for line in plan if line.startswith(("Filter:", "Index Cond:")) and "ANY" in line]
    assert len(filters) == 1
    assert "::" not in filters[0]
