"""The text of an export, held to what a visit's schema and the writer of CSV make of each visit."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson
from hypothesis import given
from hypothesis import strategies as st

from api.visits import VisitResponse
from db.queries.live_visits import Visit
from service.columns.export_windows import VisitColumns
from transport.csv_text import csv_lines
from transport.visit_export import FIELDS, csv_text, ndjson_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
URLS = st.one_of(st.sampled_from(["/", "=1+1", '/"a",b', "/рыба/", "https://shop.example/a\tb"]), texts)
visits = st.builds(
    Visit,
    id=st.uuids().map(str),
    timestamp=st.integers(0, 4_000_000_000_000_000).map(lambda at: EPOCH + timedelta(microseconds=at))
    | st.integers(0, 4_000_000_000).map(lambda at: EPOCH + timedelta(seconds=at)),
    page_url=URLS,
    user_id=st.none() | st.integers(-(2**63), 2**63 - 1),
    country=st.sampled_from([None, "US", "KR"]),
    source=st.sampled_from(["log", "api", "page"]),
    kind=st.sampled_from(["main", "product"]),
    category=st.none() | URLS,
    product=st.none() | URLS,
    method=st.sampled_from([None, None, "GET"]),
    status=st.sampled_from([None, None, 200, 404]),
    bytes=st.sampled_from([None, None, 0, 2**63 - 1]),
    referrer=st.none() | URLS,
    browser=st.sampled_from([None, None, "Firefox", "=1"]),
    os=st.sampled_from([None, "Mac OS X"]),
    device=st.sampled_from([None, "mobile"]),
    traffic=st.sampled_from(["human", "bot"]),
)
PLAIN: dict[str, Any] = {
    "method": None,
    "bytes": None,
    "referrer": None,
    "browser": None,
    "os": None,
    "device": None,
}
rows_of_visits = st.lists(visits, min_size=1, max_size=6) | st.lists(
    visits.map(lambda visit: visit._replace(**PLAIN, traffic="human")), min_size=1, max_size=6
)


def columns_of(rows: list[Visit]) -> VisitColumns:
    tails = [(row.source, row.kind, row.category, row.product) for row in rows]
    kinds, countries = list(dict.fromkeys(tails)), list(dict.fromkeys(row.country for row in rows))
    ids = np.frombuffer(b"".join(uuid.UUID(row.id).bytes for row in rows), ">u8").reshape(-1, 2)
    return VisitColumns(
        ids=ids.astype(np.uint64),
        occurred=np.array([(row.timestamp - EPOCH) // timedelta(microseconds=1) for row in rows], np.int64),
        user_id=np.array([row.user_id or 0 for row in rows], np.int64),
        has_user=np.array([row.user_id is not None for row in rows], np.bool_),
        urls=[row.page_url for row in rows],
        url=np.arange(len(rows), dtype=np.int32),
        countries=countries,
        country=np.array([countries.index(row.country) for row in rows], np.int16),
        tails=kinds,
        tail=np.array([kinds.index(tail) for tail in tails], np.int32),
        bytes=np.array([-1 if row.bytes is None else row.bytes for row in rows], np.int64),
        **indexed("request", [(row.method, row.status) for row in rows], first=(None, None)),
        **indexed("referrer", [row.referrer for row in rows], first=None),
        **indexed(
            "agent",
            [(row.browser, row.os, row.device, row.traffic) for row in rows],
            first=(None, None, None, "human"),
        ),
    )


def indexed(name: str, values: list[Any], *, first: Any) -> dict[str, Any]:
    """The distinct values, and the place of each among them."""
    distinct = list(dict.fromkeys([first, *values]))
    return {f"{name}s": distinct, name: np.array([distinct.index(value) for value in values], np.int32)}


@given(rows_of_visits)
def test_each_line_is_what_the_schema_makes_of_the_visit(rows: list[Visit]) -> None:
    lines = ndjson_text(columns_of(rows)).split(b"\n")
    assert lines.pop() == b""
    assert lines == [orjson.dumps(VisitResponse().dump(row)) for row in rows]


@given(rows_of_visits, st.booleans())
def test_each_line_of_csv_is_what_is_written_for_the_visit_alone(rows: list[Visit], raw: bool) -> None:
    values: list[list[Any]] = [[getattr(row, name) for name in FIELDS] for row in rows]
    assert csv_text(columns_of(rows), raw=raw) == csv_lines(values, raw=raw).encode()


def test_the_fields_are_those_of_a_visit() -> None:
    assert tuple(VisitResponse().fields) == FIELDS
