"""Reports as JSON, CSV and SVG, by parameter and by Accept, and not sent again while they are the same."""

import csv
import io
import json
from xml.etree import ElementTree as ET

import pytest

from clients.geo import Geo
from service.deps import Deps
from tests.support.http_client import Answer, User
from tests.support.log_imports import Importer
from tests.support.log_lines import line
from tests.support.report_answers import EXPECTED, store_visits


@pytest.fixture
async def visits(deps: Deps, geo: Geo) -> None:
    await store_visits(Importer(deps.db, geo))


def table(answer: Answer) -> list[dict[str, str]]:
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))


def cell(value: object) -> str:
    return json.dumps(value, separators=(",", ":")) if isinstance(value, list) else str(value)


@pytest.mark.parametrize("number", EXPECTED)
async def test_csv_is_the_same_rows_as_a_table(user: User, visits: None, number: int) -> None:
    rows = EXPECTED[number][1]
    lines = table(await user.client.get(f"/report/{number}?format=csv"))
    assert lines == [{name: cell(value) for name, value in row.items()} for row in rows]
    assert [list(row) for row in lines] == [list(row) for row in rows]


@pytest.mark.parametrize("number", EXPECTED)
async def test_svg_is_a_chart_of_the_rows(user: User, visits: None, number: int) -> None:
    answer = await user.client.get(f"/report/{number}?format=svg")
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    texts = [text.text for text in ET.fromstring(answer.body).iter("{http://www.w3.org/2000/svg}text")]
    assert str(EXPECTED[number][0]) in texts


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/json", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("image/svg+xml", "image/svg+xml"),
        ("image/*", "image/svg+xml"),
        ("*/*", "application/json"),
        ("Text/CSV", "text/csv; charset=utf-8"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("application/json;q=0.1, text/csv", "text/csv; charset=utf-8"),
        ("text/html, image/svg+xml;q=0.9", "image/svg+xml"),
        ("garbage, application/json;q=abc, text/csv; q=0.5", "text/csv; charset=utf-8"),
    ],
)
async def test_accept_chooses_the_form(user: User, visits: None, accept: str, media_type: str) -> None:
    answer = await user.client.get("/report/1", headers={"Accept": accept})
    assert (answer.status, answer.headers["Content-Type"]) == (200, media_type)
    assert "Accept" in answer.headers["Vary"]
    named = await user.client.get("/report/1?format=json", headers={"Accept": accept})
    assert named.headers["Content-Type"] == "application/json"


async def test_an_unchanged_report_is_not_sent_again(user: User, visits: None, deps: Deps, geo: Geo) -> None:
    etags = {}
    for form in ("json", "csv", "svg"):
        answer = await user.client.get(f"/report/4?format={form}")
        etags[form] = answer.headers["ETag"]
        headers = {"If-None-Match": etags[form]}
        again = await user.client.get(f"/report/4?format={form}", headers=headers)
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etags[form])
        assert (await user.client.get(f"/report/4?format={form}&limit=1", headers=headers)).status == 200
    assert len(set(etags.values())) == 3
    await Importer(deps.db, geo).store(line("2018-08-01 07:30:00", "NEW00000", "8.8.8.8", "/").encode())
    for form, etag in etags.items():
        changed = await user.client.get(f"/report/4?format={form}", headers={"If-None-Match": etag})
        assert changed.status == 200
