"""Reading logs that arrive in pieces, whose streams may be gzipped, and may break off."""

import gzip
import io
import random
from itertools import pairwise
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import TooLarge
from service.logs.pieces import GZIP_MAGIC, BrokenGzip, gunzipped
from service.logs.streams import BrokenOff, GunzipLimits, LogStream

sizes = st.lists(st.integers(1, 100), min_size=1, max_size=10)
cuts = st.lists(st.integers(0, 400), max_size=10).map(sorted)


class Pieces(LogStream):
    """A stream of these pieces, which then ends or fails."""

    def __init__(self, pieces: list[bytes], failure: Exception | None = None, *, gzipped: bool) -> None:
        super().__init__(gzipped=gzipped, limits=GunzipLimits(free_bytes=1_000_000))
        self._pieces = iter(pieces)
        self._failure = failure

    def _piece(self, size: int) -> bytes:
        piece = next(self._pieces, b"")
        if not piece and self._failure is not None:
            raise self._failure
        return piece


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    """Cut the data into pieces, of which none is empty."""
    bounds = [0, *cuts, len(data)]
    pieces = [data[start:end] for start, end in pairwise(bounds)]
    return [piece for piece in pieces if piece]


def read_all(file: BinaryIO, sizes: list[int]) -> tuple[bytes, Exception | None]:
    """Read, in turn, as many bytes as `sizes` say. Return all of them, and the failure after the last."""
    data = b""
    while True:
        for size in sizes:
            try:
                part = file.read(size)
            except (BrokenOff, BrokenGzip, TooLarge) as error:
                return data, error
            if not part:
                return data, None
            assert len(part) <= size
            data += part


@given(st.binary(max_size=400), cuts, sizes, st.booleans())
def test_all_that_arrived_is_read_before_the_failure(
    text: bytes, cuts: list[int], sizes: list[int], fails: bool
) -> None:
    text = b"line " + text
    failure = BrokenOff("cut") if fails else None
    stream = Pieces(split(text, cuts), failure, gzipped=False)
    file = stream.lines()
    assert read_all(file, sizes) == (text, failure)
    assert read_all(file, sizes) == (b"", failure)  # it stays at its end
    assert stream.tell() == len(text)


@given(st.binary(max_size=400), cuts, sizes, st.integers(0, 2), st.booleans())
def test_gzip_is_recognized_however_it_is_cut_into_pieces(
    text: bytes, cuts: list[int], sizes: list[int], layers: int, declared: bool
) -> None:
    stages = [b"line " + text]
    for _ in range(layers):
        data = stages[-1]
        stages.append(gzip.compress(data[:7]) + gzip.compress(data[7:]))
    data = stages[-1]
    declared = declared and layers > 0
    stream = Pieces(split(data, cuts), gzipped=declared)
    content = stages[-1 - min(layers, 2 if declared else 1)]
    assert read_all(stream.lines(), sizes) == (content, None)
    assert stream.tell() == len(data)


@pytest.mark.parametrize(("end", "error"), [("cut off", BrokenGzip), ("broken off", BrokenOff)])
def test_what_could_be_gunzipped_is_read_before_the_failure(end: str, error: type[Exception]) -> None:
    text = random.Random(1).randbytes(100_000)
    data = gzip.compress(text)[:50_000]
    stream = Pieces(
        split(data, [1000, 20_000]), BrokenOff("cut") if end == "broken off" else None, gzipped=True
    )
    content, raised = read_all(stream.lines(), [30_000])
    assert isinstance(raised, error)
    assert len(content) > 40_000
    assert text.startswith(content)


def test_a_long_line_is_read_through_a_failure_too() -> None:
    file = Pieces([b"begin ", b"of a line"], BrokenOff("cut"), gzipped=False).lines()
    assert file.readline(10) == b"begin of a"
    assert file.readline(10) == b" line"
    with pytest.raises(BrokenOff):
        file.readline(10)


@pytest.mark.parametrize("declared", [False, True])
def test_an_empty_stream_is_an_empty_log(declared: bool) -> None:
    assert read_all(Pieces([], gzipped=declared).lines(), [10]) == (b"", None)


def test_a_bomb_is_refused_after_its_limit() -> None:
    bomb = gzip.compress(bytes(5_000_000))
    content, failure = read_all(Pieces([bomb], gzipped=False).lines(), [100_000])
    assert isinstance(failure, TooLarge)
    assert 1_000_000 < len(content) + 100_000 < 5_000_000


TEXT = random.Random(1).randbytes(100_000)
GZIPPED = gzip.compress(TEXT, mtime=0)


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        (GZIPPED, type(None)),
        (GZIPPED[:50_000], BrokenGzip),
        (GZIPPED[:5], BrokenGzip),
        (GZIP_MAGIC + b"no header", BrokenGzip),
        (GZIPPED[:12] + b"\xff" * 5000, BrokenGzip),
    ],
)
def test_a_gzip_file_can_be_read_again_from_its_start(data: bytes, failure: type[Exception]) -> None:
    file = gunzipped(io.BytesIO(data))
    first = read_all(file, [30_000])
    file.seek(0)
    again = read_all(file, [7_000])
    assert first[0] == again[0]
    assert (type(first[1]), type(again[1])) == (failure, failure)
    assert (first[0] == TEXT) == (data == GZIPPED)
