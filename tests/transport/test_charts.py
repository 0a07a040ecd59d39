"""Charts are SVG that any reader takes, whatever the shop's names hold."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access_log import BadLine, parse_url
from transport.charts import LABEL_WIDTH, WIDTH, chart

SVG = "{http://www.w3.org/2000/svg}"


def result(report: int, *rows: dict[str, Any], answer: object = "x") -> dict[str, Any]:
    return {"report": report, "title": "Which <fish> & chips?", "answer": answer, "rows": rows}


def together(category: str, carts: int) -> dict[str, Any]:
    return {"category": category, "carts": carts, "support": 0.1, "confidence": 0.1, "lift": 1.0}


def texts(svg: str) -> list[str | None]:
    return [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]


def widths(svg: str) -> list[float]:
    return [float(bar.attrib["width"]) for bar in ET.fromstring(svg).iter(f"{SVG}rect")]


def test_a_bar_a_row_as_long_as_its_share_of_the_longest() -> None:
    svg = chart(result(5, together("caviar", 400), together("eel", 100), together("pike", 0)))
    assert texts(svg) == ["Which <fish> & chips?", "x", "caviar", "400", "eel", "100", "pike", "0"]
    longest, quarter, none = widths(svg)
    assert LABEL_WIDTH + longest < WIDTH
    assert quarter == pytest.approx(longest / 4, abs=0.1)
    assert none == 0


def test_one_row_of_carts_is_three_bars() -> None:
    svg = chart(result(6, {"carts": 1200, "paid": 900, "unpaid": 300, "unpaid_share": 0.25}, answer=300))
    assert texts(svg)[1:] == ["300", "carts", "1,200", "paid", "900", "unpaid", "300"]


def test_visitors_are_drawn_where_requests_are_not_counted() -> None:
    svg = chart(result(1, {"country": "JP", "name": "Japan", "visitors": 5, "share": 1.0}, answer="Japan"))
    assert texts(svg)[2:] == ["Japan", "5"]


@pytest.mark.parametrize("report", range(1, 8))
def test_no_rows_are_no_bars(report: int) -> None:
    svg = chart(result(report, answer=None))
    assert texts(svg)[1:] == ["no data"]
    assert widths(svg) == []


def test_long_names_are_cut() -> None:
    svg = chart(result(5, together("x" * 2000, 1), answer="x" * 2000))
    assert max(len(text or "") for text in texts(svg)) <= 80


letters = st.characters(codec="utf-8") | st.sampled_from("\"'<>&%;\ufffe")


@given(st.text(letters, min_size=1, max_size=30), st.integers(0, 2**63 - 1))
def test_any_category_of_a_log_can_be_drawn(category: str, carts: int) -> None:
    try:
        page = parse_url(f"https://shop.example/{category}/")
    except BadLine:
        return
    if page.category is not None:
        svg = chart(result(5, together(page.category, carts), answer=page.category))
        assert len(widths(svg)) == 1


@pytest.mark.parametrize(
    "category", ["</text><script>alert(1)</script>", "a&b", "\"quoted'", "\ufffe", "\uffff"]
)
def test_names_are_text_and_nothing_else(category: str) -> None:
    root = ET.fromstring(chart(result(5, together(category, 1), answer=category)).encode())
    assert {element.tag for element in root.iter()} == {
        f"{SVG}{tag}" for tag in ("svg", "title", "style", "text", "rect")
    }
