"""Keys of lines: the same wherever reading begins, and others for equal lines."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.logs.chunks import Chunk, Position
from service.logs.line_keys import DigestKeys, RunLimits, ordinals_of
from tests.support.line_keys import LineKeys
from tests.support.standard_lines import GOOD, parse


@given(st.lists(st.integers(0, 3), max_size=30))
def test_equal_lines_are_numbered_by_how_many_stand_before(lines: list[int]) -> None:
    digests = np.array(lines, np.uint64) * np.uint64(2**62)
    assert ordinals_of(digests, np.sort(digests)).tolist() == [
        lines[:at].count(line) for at, line in enumerate(lines)
    ]


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(150, 900))
def test_keys_are_those_of_a_reading_at_once_wherever_chunks_end(numbers: list[int], size: int) -> None:
    """Lines of a few seconds, in any order, each as often as it comes."""
    lines = [GOOD.replace(b"02:01:35", b"02:01:3%d" % number) for number in numbers]
    log = b"\n".join([*lines, b""])
    parts = parse(log, chunk_bytes=200 + size)
    keys = {position: key for part in parts for position, key in zip(part.position, part.key, strict=True)}
    oracle = LineKeys()
    assert [keys[at] for at in range(1, len(lines) + 1)] == [oracle.key(line) for line in lines]


def test_equal_lines_are_counted_however_much_stands_between_them() -> None:
    """Late lines, too: a run is compared with all that overlap it in time, not with the last alone."""
    keys = DigestKeys(RunLimits(lines=2, total=1000))
    chunk = Chunk(b"", 0, 1, Position.start())
    spans = ((0, 10), (20, 30), (40, 50), (0, 50), (8, 9))
    read = [
        keys.keys(replace(chunk, offset=at), [b"a", b"b"], np.array(span, np.int64)).tolist()
        for at, span in enumerate(spans)
    ]
    # The second and third spans share no time with the first, so their lines can't be equal to its lines.
    oracle = LineKeys()
    first = [oracle.key(b"a"), oracle.key(b"b")]
    assert read[:3] == [first, first, first]
    assert [read[3][0], read[4][0]] == [nth_key(b"a", 4), nth_key(b"a", 3)]


def nth_key(raw: bytes, count: int) -> int:
    oracle = LineKeys()
    return [oracle.key(raw) for _ in range(count)][-1]


def test_keys_are_those_of_an_uninterrupted_reading_wherever_reading_begins() -> None:
    log = b"\n".join([GOOD, GOOD, GOOD.replace(b"anna", b"otto"), GOOD, GOOD + b"\r", b""])
    [whole] = parse(log)
    assert len(whole) == 5
    for chunk_bytes in (200, 300, 500):
        parts = parse(log, chunk_bytes=chunk_bytes)
        assert len(parts) > 1
        assert [key for part in parts for key in part.key.tolist()] == whole.key.tolist()
