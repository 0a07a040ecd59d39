import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from api.fields import Integer, Text
from api.paging import Cursor, PageQuery, encode_cursor
from api.times import DateTime


class ListThingsRequest(PageQuery):
    after = Cursor(DateTime(allow_none=True), Text(maximum=100), Integer(minimum=1))


times = st.none() | st.datetimes(min_value=datetime(2, 1, 1), timezones=st.just(UTC))
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=100)


@given(times, texts, st.integers(1, 2**63 - 1))
def test_a_cursor_is_read_as_it_was_written(at: datetime | None, text: str, number: int) -> None:
    cursor = encode_cursor((at, text, number))
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert ListThingsRequest().load({"cursor": cursor})["after"] == (at, text, number)


def raw(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "x", "====", "é", "a b", "/w", "_w", raw({}), raw(5), raw(None), raw([])),
        *(raw([None, "a"]), raw([None, "a", 1, 2]), raw([None, "a", 0]), raw([None, "a", 2**63])),
        *(raw([None, "a", True]), raw([None, 5, 1]), raw(["yesterday", "a", 1]), raw([None, "\0", 1])),
        *(raw([None, "x" * 5000, 1]), "W" * 50_000, raw([[[[]]]])),
    ],
)
def test_any_other_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        ListThingsRequest().load({"cursor": cursor})
    assert refusal.value.messages == {"cursor": ["is not a cursor of this list"]}


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading(text: str) -> None:
    try:
        page = ListThingsRequest().load({"cursor": text})
    except ValidationError:
        return
    assert page["after"] is not None


def test_a_page_has_its_usual_size() -> None:
    assert ListThingsRequest().load({}) == {"limit": 50, "offset": 0, "after": None}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"offset": "100001"}, "offset"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "1", "cursor": encode_cursor((None, "a", 1))}, "offset"),
        ({"page": "1"}, "page"),
    ],
)
def test_a_page_has_a_limit_and_an_offset_within_bounds(query: dict[str, str], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        ListThingsRequest().load(query)
    messages: Any = refusal.value.messages
    assert list(messages) == [field]
