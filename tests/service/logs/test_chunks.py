"""Cutting a log into chunks of whole lines, and resuming where reading stopped."""

import io
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from service.logs.chunks import LogFile, Position
from service.logs.shop_format import MAX_LINE_BYTES

texts = st.lists(st.sampled_from((b"a", b"\n", b"bc\n", b"\r\n", b"\xff", b"x" * 50)), max_size=60).map(
    b"".join
)


@given(texts, st.integers(1, 80), st.booleans())
def test_chunks_are_the_whole_lines_in_order(text: bytes, size: int, partial: bool) -> None:
    chunk_bytes = MAX_LINE_BYTES + size
    file = LogFile(io.BytesIO(text), accept_partial_line=partial, chunk_bytes=chunk_bytes)
    chunks = list(file.chunks())
    whole = text if partial else text[: text.rfind(b"\n") + 1]
    assert b"".join(chunk.data for chunk in chunks) == whole
    for chunk in chunks:
        assert text[chunk.offset :].startswith(chunk.data)
        assert chunk.line == text[: chunk.offset].count(b"\n") + 1
        before = text[: chunk.end.offset]
        assert before == b"" or before.endswith(b"\n")
        assert chunk.end == Position(len(before), before.count(b"\n"), sha256(before).digest())


@given(st.lists(st.integers(0, 30), max_size=20), st.integers(1, 20))
def test_small_chunks_lose_no_line(lengths: list[int], size: int) -> None:
    text = b"".join(b"l" * length + b"\n" for length in lengths)
    chunks = list(LogFile(io.BytesIO(text), chunk_bytes=31 + size).chunks())
    assert b"".join(chunk.data for chunk in chunks) == text


def test_chunks_of_long_lines_are_longer() -> None:
    size, text = 10_000, b"l" * 999 + b"\n"
    long, short = (
        [len(chunk.data) for chunk in LogFile(io.BytesIO(data), chunk_bytes=size).chunks()]
        for data in (text * 50, b"short\n" * 5000)
    )
    assert long == [size, 2 * size, 2 * size]
    assert max(short) <= size


def test_an_oversized_line_is_cut_short_and_what_follows_keeps_its_place() -> None:
    size = MAX_LINE_BYTES + 10
    text = b"first\n" + b"x" * (5 * size) + b"\nlast\n"
    chunks = list(LogFile(io.BytesIO(text), chunk_bytes=size).chunks())
    assert [chunk.data for chunk in chunks] == [b"first\n", b"x" * (MAX_LINE_BYTES + 1) + b"\n", b"last\n"]
    assert [chunk.offset for chunk in chunks] == [0, 6, len(text) - 5]
    assert [chunk.line for chunk in chunks] == [1, 2, 3]
    assert chunks[-1].end == Position(len(text), 3, sha256(text).digest())


def test_an_oversized_line_without_its_newline_waits_too() -> None:
    size = MAX_LINE_BYTES + 10
    text = b"first\n" + b"x" * (3 * size)
    assert [chunk.data for chunk in LogFile(io.BytesIO(text), chunk_bytes=size).chunks()] == [b"first\n"]
    chunks = list(LogFile(io.BytesIO(text), chunk_bytes=size, accept_partial_line=True).chunks())
    assert chunks[-1].data == b"x" * (MAX_LINE_BYTES + 1)
    assert chunks[-1].end.offset == 6


@given(texts, texts, st.integers(0, 100))
def test_a_grown_file_is_resumed_and_a_changed_one_is_not(text: bytes, more: bytes, at: int) -> None:
    chunks = list(LogFile(io.BytesIO(text)).chunks())
    end = chunks[-1].end if chunks else Position.start()
    grown = LogFile(io.BytesIO(text + more))
    assert grown.skip_to(end)
    read = b"".join(chunk.data for chunk in grown.chunks())
    whole = (text + more)[: (text + more).rfind(b"\n") + 1]
    assert read == whole[end.offset :]
    if at < end.offset:
        changed = text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :] + more
        rewritten = LogFile(io.BytesIO(changed))
        assert not rewritten.skip_to(end)
        assert rewritten.offset == 0


def test_a_shortened_file_is_not_resumed() -> None:
    position = Position(6, 1, sha256(b"first\n").digest())
    assert not LogFile(io.BytesIO(b"fir")).skip_to(position)


@given(st.lists(st.tuples(texts, st.integers(0, 3 * MAX_LINE_BYTES)), max_size=4), st.integers(1, 80))
def test_long_runs_of_nuls_before_a_line_are_skipped(parts: list[tuple[bytes, int]], size: int) -> None:
    whole = [(text + b"\n", nuls) for text, nuls in parts]
    text = b"".join(bytes(nuls) + lines for lines, nuls in whole)
    chunks = list(LogFile(io.BytesIO(text), chunk_bytes=MAX_LINE_BYTES + size).chunks())
    for chunk in chunks:
        assert text[chunk.offset :].startswith(chunk.data)
        assert chunk.line == text[: chunk.offset].count(b"\n") + 1
        assert not chunk.data.startswith(b"\0")
        assert b"\n" + bytes(MAX_LINE_BYTES) not in chunk.data
    lines = [line.lstrip(b"\0") for chunk in chunks for line in chunk.data.split(b"\n")[:-1]]
    assert lines == [line for lines, _ in whole for line in lines.split(b"\n")[:-1]]
    if chunks:
        assert chunks[-1].end == Position(len(text), text.count(b"\n"), sha256(text).digest())
