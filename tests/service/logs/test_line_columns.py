"""Visits in columns say what the frame of the same lines says."""

import io
from datetime import UTC, datetime

from hypothesis import given

from service.logs.chunks import LogFile
from service.logs.columnar import parse_chunk
from service.logs.frame_columns import from_frame
from service.logs.line_columns import (
    KINDS,
    NUMBERS,
    digest_key,
    shop_key,
    shop_key_text,
    stored_key,
    to_datetime,
)
from tests.support.log_lines import logs

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@given(logs())
def test_columns_hold_what_the_frame_holds(log: bytes) -> None:
    for chunk in LogFile(io.BytesIO(log)).chunks():
        frame = parse_chunk(chunk, zone=UTC, now=NOW)
        columns = from_frame(frame)
        assert (columns.lines, columns.span, len(columns)) == (frame.lines, frame.span, frame.visits.height)
        for row, visit in enumerate(frame.visits.sort("occurred_at", "position").rows(named=True)):
            assert to_datetime(int(columns.occurred[row])) == visit["occurred_at"]
            assert shop_key_text(int(columns.key[row])) == visit["request_id"]
            assert columns.addresses[columns.address[row]] == visit["address"]
            assert (KINDS[columns.kind[row]], columns.page_url(row)) == (visit["kind"], visit["page_url"])
            numbers = [int(getattr(columns, name)[row]) or None for name in NUMBERS]
            assert numbers == [visit[name] for name in NUMBERS]


def test_numbers_of_keys_are_ordered_as_the_keys() -> None:
    keys = ["00000000", "0000000A", "A0000000", "AAAAAAAA", "ZZZZZZZZ"]
    assert sorted(keys, key=shop_key) == keys
    assert all(0 <= shop_key(key) < 2**63 for key in keys)


def test_a_key_stored_as_text_has_the_number_of_its_line() -> None:
    assert stored_key("YQ3J8G5A") == shop_key("YQ3J8G5A")
    assert stored_key("AAAQEAYEAUDAOCAJ") == digest_key(bytes(range(10)), 1)
    assert stored_key("AAAQEAYEAUDAOCAJ-3") == digest_key(bytes(range(10)), 3)
    assert len({digest_key(bytes(range(10)), ordinal) for ordinal in range(1, 100)}) == 99
