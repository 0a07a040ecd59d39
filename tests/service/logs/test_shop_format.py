"""The grammar of one line."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.logs.shop_format import (
    BadLine,
    LogLine,
    Page,
    parse_address,
    parse_line,
    parse_url,
    to_utc,
)
from tests.support.log_lines import broken_lines, good_lines

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GOOD = (
    b"shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 121.165.118.201 https://shop.example/fresh_fish/"
)


def test_a_line_is_read_field_by_field() -> None:
    assert parse_line(GOOD) == LogLine(
        local_time=datetime(2018, 8, 1, 0, 1, 35),
        key="YQ3J8G5A",
        address="121.165.118.201",
        url="https://shop.example/fresh_fish/",
        page=Page("category", "fresh_fish"),
    )


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("", Page("main")),
        ("/", Page("main")),
        ("/?utm_source=x", Page("main")),
        ("/fresh_fish/", Page("category", "fresh_fish")),
        ("/fresh_fish", Page("category", "fresh_fish")),
        ("/fresh_fish/?page=2#top", Page("category", "fresh_fish")),
        ("/caviar/red_caviar/", Page("product", "caviar", "red_caviar")),
        ("/caviar/red_caviar", Page("product", "caviar", "red_caviar")),
        ("/cart?goods_id=5&amount=2&cart_id=7", Page("cart", goods_id=5, amount=2, cart_id=7)),
        ("/cart/?cart_id=7&x=y&amount=02&goods_id=5", Page("cart", goods_id=5, amount=2, cart_id=7)),
        ("/pay?user_id=81270149392&cart_id=7", Page("pay", user_id=81270149392, cart_id=7)),
        (f"/success_pay_{2**63 - 1}/", Page("success", cart_id=2**63 - 1)),
        ("/success_pay_7", Page("success", cart_id=7)),
        ("//", Page("other")),
        ("/a//", Page("other")),
        ("/a/b/c/", Page("other")),
        ("/cart/x/", Page("product", "cart", "x")),
    ],
)
def test_the_path_gives_the_kind_of_page(path: str, page: Page) -> None:
    assert parse_url(f"https://shop.example{path}") == page


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/cart", "goods_id is missing"),
        ("/cart?goods_id=1&amount=&cart_id=2", "amount is missing"),
        ("/cart?goods_id=1&amount=0&cart_id=2", "amount is not a whole number from 1"),
        ("/cart?goods_id=1&amount=1.0&cart_id=2", "amount is not a whole number"),
        (f"/cart?goods_id={2**63}&amount=1&cart_id=2", "goods_id is not a whole number"),
        (f"/cart?goods_id={'9' * 1000}&amount=1&cart_id=2", "goods_id is not a whole number"),
        ("/cart?goods_id=1&amount=1&cart_id=2&cart_id=2", "cart_id is given twice"),
        ("/pay?user_id=-3&cart_id=2", "user_id is not a whole number"),
        ("/pay?user_id=\N{ARABIC-INDIC DIGIT THREE}&cart_id=2", "user_id is not a whole number"),
        ("/success_pay_/", "cart_id is missing"),
        ("/success_pay_x/", "cart_id is not a whole number"),
    ],
)
def test_wrong_numbers_are_named(path: str, reason: str) -> None:
    with pytest.raises(BadLine, match=reason):
        parse_url(f"https://shop.example{path}")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"shop_api", b"shop api", "does not begin with"),
        (b"2018-08-01", b"2018-8-1", "or a time like"),
        (b"2018-08-01", b"2018-02-30", "no such date or time"),
        (b"00:01:35", b"00:01:60", "no such date or time"),
        (b"[YQ3J8G5A]", b"[yq3j8g5a]", "request key"),
        (b"INFO", b"ERROR", "INFO: "),
        (b"121.165.118.201", b"121.165.118.0201", "not an IPv4 or IPv6 address"),
        (b"121.165.118.201", b"fe80::1%eth0", "address has a zone"),
        (b"https://", b"ftp://", "not an http or https URL"),
        (b"shop.example", b"", "not an http or https URL"),
        (b"/fresh_fish/", b"/fresh fish/", "URL has a space in it"),
        (b"/fresh_fish/", b"/fresh\tfish/", "URL has a control character in it"),
        (b"/fresh_fish/", b"/fresh\0fish/", "URL has a control character in it"),
        (b"shop.example", "shop\u2028example".encode(), "not an http or https URL"),
        (b"/fresh_fish/", b"/\xff/", "not UTF-8"),
        (b" https://shop.example/fresh_fish/", b"", "no URL follows"),
        (b"/fresh_fish/", b"/" + b"x" * 2048, "URL is longer than 2048"),
        (b"/fresh_fish/", b"/" + b"x" * 65536, "line is longer than 65536"),
    ],
)
def test_a_line_that_does_not_match_says_why(old: bytes, new: bytes, reason: str) -> None:
    assert old in GOOD
    with pytest.raises(BadLine, match=reason):
        parse_line(GOOD.replace(old, new))


def test_a_url_of_2048_characters_fits_and_one_more_does_not() -> None:
    url = "https://shop.example/" + "\N{FISH}" * (2048 - 21)
    line = GOOD.decode().rpartition(" ")[0] + " " + url
    assert parse_line(line.encode()).url == url
    with pytest.raises(BadLine, match="URL is longer"):
        parse_line((line + "x").encode())


def test_a_carriage_return_at_the_end_is_dropped() -> None:
    assert parse_line(GOOD + b"\r") == parse_line(GOOD)


def test_addresses_become_canonical() -> None:
    line = parse_line(GOOD.replace(b"121.165.118.201", b"2001:DB8:0:0::1"))
    assert line.address == "2001:db8::1"


@given(st.one_of(st.binary(), broken_lines, good_lines))
@example(b"")
@example(GOOD[:40])
def test_no_bytes_raise_anything_but_bad_line(raw: bytes) -> None:
    assert line_or_reason(raw)


def line_or_reason(raw: bytes) -> LogLine | str:
    try:
        return parse_line(raw)
    except BadLine as error:
        return str(error)


@given(good_lines)
def test_what_is_accepted_can_be_written_back(raw: bytes) -> None:
    line = parse_line(raw)
    written = f"shop_api      | {line.local_time} [{line.key}] INFO: {line.address} {line.url}".encode()
    assert parse_line(written) == line
    # Which form of an address is the canonical one differs between Python versions.
    if raw.startswith(b"shop_api      | ") and raw.endswith(f" {line.address} {line.url}".encode()):
        assert written == raw


def test_of_an_hour_that_comes_twice_the_first_is_meant() -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert to_utc(datetime(2018, 10, 28, 2, 30), zone, NOW) == datetime(2018, 10, 28, 0, 30, tzinfo=UTC)
    assert to_utc(datetime(2018, 10, 28, 3, 0), zone, NOW) == datetime(2018, 10, 28, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        (datetime(1969, 12, 31, 23, 59, 59), "before 1970"),
        (datetime(1, 1, 1), "out of range|before 1970"),
        (datetime(2026, 1, 2, 0, 0, 1), "more than a day ahead"),
    ],
)
def test_a_visit_lies_between_1970_and_a_day_ahead(time: datetime, reason: str) -> None:
    with pytest.raises(BadLine, match=reason):
        to_utc(time, UTC, NOW)
    assert to_utc(datetime(1970, 1, 1), UTC, NOW) == datetime(1970, 1, 1, tzinfo=UTC)
    assert to_utc(datetime(2026, 1, 2), UTC, NOW) == NOW + timedelta(days=1)


def test_a_time_that_no_utc_year_holds_is_refused() -> None:
    with pytest.raises(BadLine, match="out of range"):
        to_utc(datetime(1, 1, 1), ZoneInfo("Asia/Tokyo"), NOW)


words = st.sampled_from([0, 0, 0, 1, 0xFFFF]) | st.integers(0, 0xFFFF)
ends = st.sampled_from(["", ":", "::", "%eth0", "\0", "é", ".1", ":1.2.3.4", ":1.2.3.04", ":300.2.3.4"])


@given(st.lists(words, min_size=5, max_size=9), st.booleans(), st.booleans(), ends)
def test_an_ipv6_address_is_what_python_reads(
    numbers: list[int], are_large: bool, is_short: bool, end: str
) -> None:
    text = ":".join(f"{number:04X}" if are_large else f"{number:x}" for number in numbers) + end
    if is_short:
        text = text.replace(":0000", "", 3) if are_large else text.replace(":0:", "::", 1)
    try:
        address = ip_address(text)
        expected = None if "%" in text else str(getattr(address, "ipv4_mapped", None) or address)
    except ValueError:
        expected = None
    try:
        assert parse_address(text) == expected
    except BadLine:
        assert expected is None
