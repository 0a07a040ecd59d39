"""Columns of lines: keys as numbers, URLs by templates, some of the rows."""

import io
from datetime import UTC, datetime

import numpy as np

from service.logs.chunks import LogFile
from service.logs.format_options import FormatOptions
from service.logs.line_columns import TEMPLATE_PAGE, digest_key, shop_key
from service.logs.log_parser import LogParser
from tests.support.line_rows import line_rows
from tests.support.log_lines import line

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PATHS = (
    "/cart?goods_id=1&amount=2&cart_id=3",
    "/cart?goods_id=1&amount=02&cart_id=3",
    "/pay?user_id=4&cart_id=3",
    "/pay/?user_id=4&cart_id=3",
    "/success_pay_3/",
    "/success_pay_3",
    "/caviar/",
)


def test_only_urls_that_are_the_template_to_the_letter_have_no_page() -> None:
    times = [f"2018-08-01 00:00:{at:02}" for at in range(len(PATHS))]
    lines = [line(time, "AAAAAAAA", "8.8.8.8", path) for time, path in zip(times, PATHS, strict=True)]
    log = "".join(
        text + "\n" for text in [*lines, line(times[0], "BBBBBBBB", "8.8.8.8", "/pay", scheme="http")]
    )
    [chunk] = LogFile(io.BytesIO(log.encode())).chunks()
    columns = LogParser(FormatOptions(UTC)).parse(chunk, now=NOW)
    assert columns is not None
    assert (columns.host, columns.lines, len(columns)) == ("https://shop.example", 8, 7)
    assert (columns.page == TEMPLATE_PAGE).tolist() == [True, False, True, False, True, False, False]
    assert [columns.page_url(row).removeprefix(columns.host) for row in range(7)] == list(PATHS)
    assert columns.span == (datetime(2018, 8, 1, tzinfo=UTC), datetime(2018, 8, 1, 0, 0, 6, tzinfo=UTC))
    some = columns.take(np.array([1, 4]))
    assert line_rows(some) == [line_rows(columns)[1], line_rows(columns)[4]]
    assert columns.take(np.zeros(7, np.bool_)).span is None


def test_numbers_of_keys_are_ordered_as_the_keys() -> None:
    keys = ["00000000", "0000000A", "A0000000", "AAAAAAAA", "ZZZZZZZZ"]
    assert sorted(keys, key=shop_key) == keys
    assert all(0 <= shop_key(key) < 2**63 for key in keys)
    assert [shop_key(key).to_bytes(8).decode() for key in keys] == keys


def test_equal_lines_have_keys_of_their_own() -> None:
    assert len({digest_key(bytes(range(10)), ordinal) for ordinal in range(1, 100)}) == 99
