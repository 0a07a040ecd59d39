"""Charts are SVG that any reader takes, whatever names a shop has, and carry the report that they show."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.logs.shop_format import BadLine, parse_url
from transport.charts.chart import chart
from transport.charts.drawing import INNER, MARGIN, WIDTH

SVG = "{http://www.w3.org/2000/svg}"
TAGS = {"svg", "title", "style", "metadata", "g", "path", "rect", "circle", "text"}
HOURS = list(range(24))

ROWS: dict[int, list[dict[str, Any]]] = {
    1: [
        {"country": "JP", "name": "Japan", "requests": 30, "share": 0.75},
        {"country": "SG", "name": "Singapore", "requests": 10, "share": 0.25},
    ],
    2: [{"country": "XX", "name": "Nowhere", "visitors": 1, "share": 1.0}],
    3: [
        {"part_of_day": "day", "from_hour": 12, "to_hour": 18, "views": 87, "hours": HOURS},
        {"part_of_day": "night", "from_hour": 0, "to_hour": 6, "views": 15, "hours": HOURS},
    ],
    4: [
        {"hour": "2018-08-02T03:00:00Z", "requests": 94},
        {"hour": "2018-08-01T22:00:00Z", "requests": 47},
    ],
    5: [{"category": "caviar", "carts": 4, "support": 0.1, "confidence": 0.5, "lift": 1.2}],
    6: [{"carts": 1200, "paid": 900, "unpaid": 300, "unpaid_share": 0.25}],
    7: [{"purchases": 1, "users": 40}, {"purchases": 2, "users": 10}],
}


def result(report: int, rows: list[dict[str, Any]], answer: object = "x", tz: str = "UTC") -> dict[str, Any]:
    title = "Which <fish> & chips?"
    return {"report": report, "title": title, "answer": answer, "rows": rows, "parameters": {"tz": tz}}


def together(category: str, carts: int) -> dict[str, Any]:
    return {"category": category, "carts": carts, "support": 0.1, "confidence": 0.1, "lift": 1.0}


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def marked(svg: str, tag: str, name: str) -> list[ET.Element]:
    return [element for element in ET.fromstring(svg).iter(f"{SVG}{tag}") if element.get("class") == name]


@pytest.mark.parametrize("report", ROWS)
def test_a_chart_is_well_formed_and_carries_its_report(report: int) -> None:
    body = result(report, ROWS[report])
    root = ET.fromstring(chart(body))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= TAGS
    assert json.loads(root.findtext(f"{SVG}metadata") or "") == body
    assert root.get("aria-label") == "Which <fish> & chips? x"
    assert root.findtext(f"{SVG}title") == "Which <fish> & chips?"


@pytest.mark.parametrize("report", ROWS)
def test_everything_drawn_lies_within_the_picture(report: int) -> None:
    root = ET.fromstring(chart(result(report, ROWS[report])))
    *_, width, height = map(float, root.attrib["viewBox"].split())
    for element in root.iter():
        x, y = float(element.get("x", 0)), float(element.get("y", 0))
        assert 0 <= x <= x + float(element.get("width", 0)) <= width
        assert 0 <= y <= y + float(element.get("height", 0)) <= height


@pytest.mark.parametrize("report", ROWS)
def test_no_rows_are_told_as_no_data(report: int) -> None:
    svg = chart(result(report, [], answer=None))
    assert texts(svg) == ["Which <fish> & chips?", "no data"]


def test_a_bar_is_as_long_as_its_share_of_the_longest() -> None:
    svg = chart(result(5, [together("caviar", 400), together("eel", 100), together("pike", 0)]))
    [longest] = marked(svg, "rect", "mark")
    quarter, none = marked(svg, "rect", "other")
    assert float(longest.attrib["width"]) == INNER
    assert float(quarter.attrib["width"]) == INNER / 4
    assert float(none.attrib["width"]) == 0
    assert float(longest.attrib["x"]) + INNER == WIDTH - MARGIN


def test_countries_are_marked_on_the_map_as_shapes_or_places() -> None:
    svg = chart(result(1, ROWS[1]))
    [japan] = [path for path in marked(svg, "path", "mark") if path.findtext(f"{SVG}title")]
    assert japan.findtext(f"{SVG}title") == "Japan: 30"
    [singapore] = marked(svg, "circle", "mark")
    assert singapore.findtext(f"{SVG}title") == "Singapore: 10"
    assert float(singapore.attrib["fill-opacity"]) < float(japan.attrib["fill-opacity"]) == 1


def test_hours_stand_in_the_order_of_time_on_the_clocks_of_the_zone() -> None:
    svg = chart(result(4, ROWS[4], tz="Asia/Tokyo"))
    assert texts(svg)[2:] == ["47", "07:00", "08-02", "94", "12:00", "08-02"]


def test_users_who_bought_again_are_drawn_stronger() -> None:
    svg = chart(result(7, ROWS[7]))
    assert len(marked(svg, "rect", "mark")) == len(marked(svg, "rect", "other")) == 1
    assert texts(svg)[2:] == ["40", "1\N{MULTIPLICATION SIGN}", "10", "2\N{MULTIPLICATION SIGN}"]


@pytest.mark.parametrize("unpaid", [0, 1, 300, 900, 1200])
def test_the_ring_shows_any_part(unpaid: int) -> None:
    carts = {"carts": 1200, "paid": 1200 - unpaid, "unpaid": unpaid, "unpaid_share": unpaid / 1200}
    svg = chart(result(6, [carts], answer=unpaid))
    assert len(marked(svg, "path", "mark")) == bool(unpaid)
    assert f"{unpaid / 12:.1f}\N{NARROW NO-BREAK SPACE}%" in texts(svg)


def test_long_names_are_cut() -> None:
    svg = chart(result(5, [together("x" * 2000, 1)], answer="x" * 2000))
    assert max(map(len, texts(svg))) <= 80


letters = st.characters(codec="utf-8") | st.sampled_from("\"'<>&%;\ufffe")


@given(st.text(letters, min_size=1, max_size=30), st.integers(0, 2**63 - 1))
def test_any_category_of_a_log_can_be_drawn(category: str, carts: int) -> None:
    try:
        page = parse_url(f"https://shop.example/{category}/")
    except BadLine:
        return
    if page.category is not None:
        svg = chart(result(5, [together(page.category, carts)], answer=page.category))
        assert len(marked(svg, "rect", "mark")) == 1


@pytest.mark.parametrize(
    "category", ["</text><script>alert(1)</script>", "a&b", "\"quoted'", "\ufffe", "\uffff", "]]>"]
)
def test_names_are_text_and_nothing_else(category: str) -> None:
    root = ET.fromstring(chart(result(5, [together(category, 1)], answer=category)).encode())
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= TAGS
