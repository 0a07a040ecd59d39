"""Views of pages: what is read without the schema is what the schema would read."""

from typing import Any

import orjson
from hypothesis import example, given
from hypothesis import strategies as st
from marshmallow import ValidationError

from api.limits import MAX_PAGE_URL, MAX_SITE_KEY
from api.sites import CollectRequest, load_plain_view

PAGE = "https://shop.example/fresh_fish/"
TEXTS = st.text() | st.sampled_from([PAGE, "/", "/\0", "//", "ftp://a", "https://", "https://a b/", ""])
LENGTHS = st.sampled_from([MAX_SITE_KEY, MAX_SITE_KEY + 1, MAX_PAGE_URL, MAX_PAGE_URL + 1])
LONG = st.builds(lambda length: "/".ljust(length, "\N{PILE OF POO}"), LENGTHS)
VALUES = TEXTS | LONG | st.none() | st.booleans() | st.lists(TEXTS, max_size=1)
VIEWS = st.dictionaries(st.sampled_from(["site", "page_url", "referrer", "address"]), VALUES)


def load(content: bytes) -> dict[str, Any] | None:
    """Load a view by its schema; None if it is wrong."""
    try:
        view: dict[str, Any] = CollectRequest().load(orjson.loads(content))
    except (orjson.JSONDecodeError, ValidationError):
        return None
    return view


@given(VIEWS)
@example({"site": "a", "page_url": "/\x7f"})
@example({"site": "a", "page_url": PAGE, "referrer": "a\0"})
def test_a_view_that_is_read_without_the_schema_is_what_the_schema_reads(view: dict[str, Any]) -> None:
    content = orjson.dumps(view)
    plain = load_plain_view(content)
    assert plain is None or plain == load(content)


def test_views_as_pages_report_them_need_no_schema() -> None:
    for referrer in (
        {},
        {"referrer": None},
        {"referrer": ""},
        {"referrer": "https://search.example/?q=лосось"},
    ):
        view = {"site": "a", "page_url": PAGE, **referrer}
        assert load_plain_view(orjson.dumps(view)) == {"referrer": None, **view}


def test_what_is_no_json_is_left_to_the_schema() -> None:
    for content in (b"", b"no json", b"\xff\xfe", b"[" * 5000, b'{"site": "\\ud800", "page_url": "/"}', b"7"):
        assert load_plain_view(content) is None
