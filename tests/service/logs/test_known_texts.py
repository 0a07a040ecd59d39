"""Texts of lines as numbers, compared with a dict of them."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.logs import known_texts
from service.logs.chunk_text import ChunkText
from service.logs.chunks import without_marks
from service.logs.known_texts import MAX_BYTES, UNKNOWN, KnownTexts, LongTexts

texts = st.lists(
    st.binary(max_size=20).map(lambda raw: without_marks(raw.replace(b"\n", b"")))
    | st.sampled_from((b"a", b"a\0"))
)


@contextmanager
def few_slots(bits: int) -> Iterator[None]:
    """Make texts share slots, and so be searched by their hashes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known_texts, "SLOT_BITS", bits)
        patch.setattr(known_texts, "SLOT_SHIFT", np.uint64(64 - bits))
        yield


@given(st.lists(texts, max_size=4), st.integers(1, 4))
def test_each_text_has_one_number_and_is_parsed_once(chunks: list[list[bytes]], bits: int) -> None:
    parsed: list[bytes] = []

    def parse(new: list[bytes]) -> list[int]:
        parsed.extend(new)
        return [parsed.index(text) for text in new]

    with few_slots(bits):
        known = KnownTexts(parse)
        for chunk in chunks:
            numbers = numbers_of(known, chunk)
            expected = [parsed.index(text) if text else UNKNOWN for text in chunk]
            assert numbers == expected
    assert sorted(parsed) == sorted({text for chunk in chunks for text in chunk if text})


@given(st.lists(texts, max_size=4))
def test_long_texts_have_the_same_numbers(chunks: list[list[bytes]]) -> None:
    parsed: list[bytes] = []

    def parse(new: list[bytes]) -> list[int]:
        parsed.extend(new)
        return [parsed.index(text) for text in new]

    known = LongTexts(parse)
    for chunk in chunks:
        assert numbers_of(known, chunk) == [parsed.index(text) for text in chunk]
    assert sorted(parsed) == sorted({text for chunk in chunks for text in chunk})
    too_long = b"x" * (MAX_BYTES + 1)
    assert numbers_of(known, [too_long, b"y", too_long])[::2] == [UNKNOWN, UNKNOWN]


def test_texts_with_one_hash_are_not_taken_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_texts, "hash_words", lambda _, lengths: np.full(len(lengths), 12345, np.uint64))
    parsed: list[bytes] = []

    def parse(new: list[bytes]) -> list[int]:
        parsed.extend(new)
        return [int(text) for text in new]

    known = KnownTexts(parse)
    for _ in range(3):
        assert numbers_of(known, [b"1", b"2", b"30", b"1", b"2"]) == [1, 2, 30, 1, 2]
    assert numbers_of(known, [b"2"]) == [2]


def test_bad_texts_and_long_ones_have_no_number() -> None:
    known = KnownTexts(lambda new: [UNKNOWN if text == b"bad" else 7 for text in new])
    longest = b"x" * MAX_BYTES
    assert numbers_of(known, [b"bad", b"", b"good", longest, longest + b"x"]) == [
        UNKNOWN,
        UNKNOWN,
        7,
        7,
        UNKNOWN,
    ]
    known.clear()
    assert numbers_of(known, [b"good"]) == [7]


def numbers_of(known: KnownTexts | LongTexts, lines: list[bytes]) -> list[int]:
    text = ChunkText(b"".join(line + b"\n" for line in lines))
    ends = text.starts + np.array([len(line) for line in lines], np.int64)
    numbers: list[int] = known.get(text, text.starts, ends).tolist()
    return numbers
