"""The parser in columns, compared with the naive oracle on any bytes."""

import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.logs.chunks import LogFile
from service.logs.columnar import parse_chunk
from service.logs.shop_format import MAX_LINE_BYTES
from tests.support.log_lines import line, logs
from tests.support.oracle_log import read_log

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns")


@given(logs(broken=4), st.sampled_from(ZONES))
def test_it_parses_what_the_oracle_parses(log: bytes, zone: str) -> None:
    log = log.removesuffix(b"\n") + b"\n"  # whole, it is one chunk, whose visits are in order
    expected = read_log(io.BytesIO(log).readlines(), tz=zone, now=NOW)
    expected_visits = sorted(expected.visits, key=lambda visit: (visit.time, visit.key))
    chunks = LogFile(io.BytesIO(log)).chunks()
    parsed = [parse_chunk(chunk, zone=ZoneInfo(zone), now=NOW) for chunk in chunks]
    visits = [row for part in parsed for row in part.visits.iter_rows(named=True)]
    fields = [
        tuple(row[name] for name in ("position", "occurred_at", "request_id", "address", "page_url", "kind"))
        for row in visits
    ]
    assert fields == [(v.line, v.time, v.key, v.address, v.url, v.kind) for v in expected_visits]
    numbers = [(row["user_id"], row["cart_id"], row["goods_id"], row["amount"]) for row in visits]
    assert numbers == [(v.user_id, v.cart_id, v.goods_id, v.amount) for v in expected_visits]
    pages = [(row["category"], row["product"]) for row in visits if row["kind"] in ("category", "product")]
    assert pages == [(v.category, v.product) for v in expected_visits if v.kind in ("category", "product")]
    rejects = [(reject.line, reject.offset) for part in parsed for reject in part.rejects]
    assert rejects == [(reject.line, reject.offset) for reject in expected.rejects]
    assert sum(part.duplicates for part in parsed) == expected.duplicates
    assert sum(part.lines for part in parsed) == len(expected.visits) + len(rejects) + expected.duplicates


@pytest.mark.parametrize("begin", [b"\x1f\x8b", b"x\x9c", b"x\x01", b"(\xb5/\xfd"])
def test_a_line_that_begins_as_compressed_data_do_is_a_reject_like_any_other(begin: bytes) -> None:
    log = begin + b"\n" + line("2018-08-01 00:00:00", "AAAAAAAA", "8.8.8.8", "/").encode() + b"\n"
    [chunk] = LogFile(io.BytesIO(log)).chunks()
    parsed = parse_chunk(chunk, zone=UTC, now=NOW)
    assert [reject.line for reject in parsed.rejects] == [1]
    assert parsed.visits["position"].to_list() == [2]


def test_a_reject_has_its_first_200_characters_as_postgresql_can_store_them() -> None:
    log = "ü".encode() * 300 + b"\n\0nul\xff\n"
    [chunk] = LogFile(io.BytesIO(log)).chunks()
    rejects = parse_chunk(chunk, zone=UTC, now=NOW).rejects
    assert [reject.text for reject in rejects] == [
        "ü" * 200,
        "\N{REPLACEMENT CHARACTER}nul\N{REPLACEMENT CHARACTER}",
    ]
    assert [reject.reason for reject in rejects] == [
        "does not begin with a container's name and |, or a time like 2018-08-01 00:01:35",
        "not UTF-8",
    ]
    assert [reject.offset for reject in rejects] == [0, 601]


@pytest.mark.parametrize("extra", [0, 1])
def test_a_line_of_64_kib_is_read_and_a_longer_one_rejected(extra: int) -> None:
    text = line("2018-08-01 00:00:00", "AAAAAAAA", "8.8.8.8", "/")
    padded = text.replace(" [", " " * (MAX_LINE_BYTES + extra - len(text)) + " [").encode()
    assert len(padded) == MAX_LINE_BYTES + extra
    [chunk] = LogFile(io.BytesIO(padded + b"\n")).chunks()
    [reject] = parse_chunk(chunk, zone=UTC, now=NOW).rejects
    assert ("longer than 65536" in reject.reason) == bool(extra)
