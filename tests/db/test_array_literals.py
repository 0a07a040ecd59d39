"""Arrays written as PostgreSQL's text are the lists that they were."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from db.array_literals import array_literal, digest_array, text_array
from db.database import Database

TEXTS = ("", "NULL", "null", 'a"b', "a\\b", "\\", '"', '","', "{a,b}", " a ", "a\nb\t", "рыба", "a,b", "\x1f")


async def test_an_array_of_texts_is_what_it_was(db: Database) -> None:
    lists: list[list[str | None]] = [[], [*TEXTS], [*TEXTS, None], [None], ["plain", "texts"]]
    lists += [[text] for text in TEXTS]
    async with db.raw() as raw:
        for texts in lists:
            assert await raw.fetchval("SELECT CAST(CAST($1 AS text) AS text[])", text_array(texts)) == texts


async def test_an_array_of_digests_or_numbers_is_what_it_was(db: Database) -> None:
    digests = [sha256(bytes([number])).digest() for number in range(5)]
    numbers = [1, None, -5]
    async with db.raw() as raw:
        for count in range(5):
            literal = digest_array(digests[:count])
            assert await raw.fetchval("SELECT CAST(CAST($1 AS text) AS bytea[])", literal) == digests[:count]
        assert await raw.fetchval("SELECT CAST(CAST($1 AS text) AS int[])", array_literal(numbers)) == numbers


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
