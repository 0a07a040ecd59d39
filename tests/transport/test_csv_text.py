"""CSV that a spreadsheet opens: no text of a visitor is run as a formula there."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.database import Database
from tests.support.http_client import Client, User
from transport.csv_text import csv_lines

FORMULAS = ["=1+1", '=HYPERLINK("http:x")', "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "=", "-"]
HARMLESS = ["", "a=1", " =1", "'=1", "1-1", "/=1/", "\n=1"]


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("value", FORMULAS)
def test_a_text_that_begins_like_a_formula_gets_a_quote_unless_raw(value: str) -> None:
    assert read(csv_lines([["x", value]], raw=False)) == [["x", "'" + value]]
    assert read(csv_lines([["x", value]], raw=True)) == [["x", value]]


@pytest.mark.parametrize("value", HARMLESS)
def test_other_texts_stay_as_they_are(value: str) -> None:
    assert read(csv_lines([["x", value]], raw=False)) == [["x", value]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-5, "-5"),
        (-0.5, "-0.5"),
        (None, ""),
        (True, "true"),
        ({"=": "="}, '{"=":"="}'),
        (["="], '["="]'),
        (datetime(2024, 1, 2, tzinfo=UTC), "2024-01-02T00:00:00Z"),
    ],
)
def test_values_that_are_no_text_are_the_same_raw_or_not(value: Any, text: str) -> None:
    assert csv_lines([["x", value]], raw=False) == csv_lines([["x", value]], raw=True)
    assert read(csv_lines([["x", value]], raw=False)) == [["x", text]]


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=2))
def test_raw_cells_come_back_whole_and_no_other_cell_begins_like_a_formula(row: list[str]) -> None:
    assert read(csv_lines([row], raw=True)) == [row]
    [cells] = read(csv_lines([row], raw=False))
    assert not any(cell[:1] in set("=+-@\t\r") for cell in cells if cell)
    assert [cell.removeprefix("'") for cell in cells] == [text.removeprefix("'") for text in row]


@pytest.fixture
def db(committed_db: Database) -> Database:
    """Exports have connections of their own."""
    return committed_db


async def rows(client: Client, path: str) -> list[dict[str, str]]:
    answer = await client.get(path)
    assert answer.status == 200, answer.body
    return list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))


async def test_exports_and_reports_quote_formulas_unless_raw_is_given(user: User) -> None:
    fish = '=HYPERLINK("http:x")'
    event = {"event_id": "018f3a5e-7a10-7cc3-98a3-1a2b3c4d5e6f", "user_id": -7, "event_type": "=1+1"}
    pages = [f"/{fish}/@SUM(1)/", "/cart?goods_id=1&amount=1&cart_id=3", "/pay?user_id=1&cart_id=3"]
    pages += ["/success_pay_3/"]
    for second, page_url in enumerate(pages):
        visit = {"page_url": page_url, "timestamp": f"2024-01-01T00:00:0{second}Z"}
        assert (await user.client.post("/visits", json=visit)).status == 201
    sent = {"events": [{**event, "occurred_at": "2024-01-01T00:00:00Z", "properties": {}}]}
    assert (await user.client.post("/events", json=sent)).json["created"] == 1
    for raw, quote in (("", "'"), ("&raw=false", "'"), ("&raw=true", "")):
        [visit] = await rows(
            user.client, f"/visits/export?format=csv{raw}&category={fish}&to=2024-01-01T00:00:01Z"
        )
        assert (visit["category"], visit["product"]) == (f"{quote}{fish}", f"{quote}@SUM(1)")
        assert visit["page_url"] == pages[0].replace('"', "%22")
        [row] = await rows(user.client, f"/events/export?format=csv{raw}")
        assert (row["event_type"], row["user_id"]) == (f"{quote}=1+1", "-7")
    exported = await user.client.get(f"/visits/export?raw=false&category={fish}")
    assert exported.body.count(b"'=") == 0  # NDJSON has no formulas
    assert (await user.client.get("/report/5?format=csv&raw=perhaps")).pointers == ["/raw"]
