"""How the oracle reads lines: each rule of the grammar, by hand."""

from datetime import UTC, datetime

import pytest

from tests.support.oracle_log import Visit, read_log

NOW = datetime(2024, 6, 1, tzinfo=UTC)
PREFIX = b"shop_api | 2024-05-06 00:00:00 [AAAAAAAA] INFO: 1.1.1.1 "


def only(raw: bytes, *, tz: str = "UTC") -> Visit | str:
    """Return the one visit of a line, or the reason of its reject."""
    log = read_log([raw], tz=tz, now=NOW)
    assert log.lines == 1
    return log.visits[0] if log.visits else log.rejects[0].reason


@pytest.mark.parametrize(
    ("path", "kind", "facts"),
    [
        ("", "main", {}),
        ("/", "main", {}),
        ("?goods_id=x", "main", {}),
        ("/#/cart", "main", {}),
        ("/fresh_fish", "category", {"category": "fresh_fish"}),
        ("/Fresh%20fish/", "category", {"category": "Fresh fish"}),
        ("/success_pay/", "category", {"category": "success_pay"}),
        ("/caviar/beluga?x=1", "product", {"category": "caviar", "product": "beluga"}),
        ("/икра/белуга/", "product", {"category": "икра", "product": "белуга"}),
        ("/cart?goods_id=1&amount=02&cart_id=3", "cart", {"goods_id": 1, "amount": 2, "cart_id": 3}),
        (
            "/cart/?cart_id=3&x=1&x=2&&amount=2&goods_id=1#a?b",
            "cart",
            {"goods_id": 1, "amount": 2, "cart_id": 3},
        ),
        ("/pay?cart_id=3&user_id=9223372036854775807", "pay", {"cart_id": 3, "user_id": 2**63 - 1}),
        ("/success_pay_007/?cart_id=x", "success", {"cart_id": 7}),
        ("//", "other", {}),
        ("/cart//", "other", {}),
        ("//caviar", "other", {}),
        ("/a/b/c/", "other", {}),
    ],
)
def test_a_path_gives_the_kind_and_its_facts(path: str, kind: str, facts: dict[str, object]) -> None:
    visit = only(PREFIX + f"https://any.host:80{path}\r\n".encode())
    assert isinstance(visit, Visit)
    names = ("category", "product", "cart_id", "goods_id", "amount", "user_id")
    fields = {name: getattr(visit, name) for name in names if getattr(visit, name) is not None}
    assert (visit.kind, fields) == (kind, facts)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (PREFIX.replace(b"shop_api ", b"shop api ") + b"http://h/", "not an access line"),
        (PREFIX.replace(b"| ", b"|") + b"http://h/", "not an access line"),
        (PREFIX.replace(b"AAAAAAAA", b"AAAAAAAa") + b"http://h/", "not an access line"),
        (PREFIX.replace(b"AAAAAAAA", b"AAAAAAA") + b"http://h/", "not an access line"),
        (PREFIX.replace(b"05-06", b"02-30") + b"http://h/", "bad time"),
        (PREFIX.replace(b"00:00:00", b"23:59:60") + b"http://h/", "bad time"),
        (PREFIX.replace(b"2024", b"1969") + b"http://h/", "time out of range"),
        (PREFIX.replace(b"1.1.1.1", b"1.1.1.256") + b"http://h/", "bad address"),
        (PREFIX.replace(b"1.1.1.1", b"fe80::1%eth0") + b"http://h/", "bad address"),
        (PREFIX + b"ftp://h/", "bad URL"),
        (PREFIX + b"http://?a", "bad URL"),
        (PREFIX + b"http://h/a b", "bad URL"),
        (PREFIX + b"http://h/ ", "bad URL"),
        (PREFIX + b"http://h/a\x00", "bad URL"),
        (PREFIX + b"http://h/\r\r\n", "not an access line"),
        (PREFIX + b"http://h/\xff", "not UTF-8"),
        (PREFIX + b"http://h/cart?goods_id=1&amount=1", "cart_id missing"),
        (PREFIX + b"http://h/cart#?goods_id=1&amount=1&cart_id=1", "goods_id missing"),
        (PREFIX + b"http://h/pay?user_id=1&cart_id=1&cart_id=1", "cart_id given twice"),
        (PREFIX + b"http://h/pay?user_id=1&cart_id=0", "bad number"),
        (PREFIX + b"http://h/pay?user_id=1&cart_id=%C2%B9", "bad number"),
        (PREFIX + b"http://h/pay?user_id=+1&cart_id=1", "bad number"),
        (PREFIX + b"http://h/pay?user_id=1.0&cart_id=1", "bad number"),
        (PREFIX + "http://h/pay?user_id=\u0661&cart_id=1".encode(), "bad number"),
        (PREFIX + b"http://h/success_pay_9223372036854775808/", "bad number"),
        (PREFIX + b"http://h/success_pay_/", "bad number"),
    ],
)
def test_a_line_that_does_not_match_is_a_reject(line: bytes, reason: str) -> None:
    assert only(line) == reason


def test_lines_and_urls_have_a_maximum_length() -> None:
    url = b"http://h/" + b"a" * 2_039
    assert isinstance(only(PREFIX + url + b"\n"), Visit)
    assert only(PREFIX + url + b"a\n") == "bad URL"
    assert isinstance(only(PREFIX + b"http://h/" + "я".encode() * 2_039), Visit)
    assert isinstance(only(PREFIX + "http://h/\u2003".encode()), Visit)
    long = PREFIX.replace(b" ", b" " * (65_536 - len(PREFIX) - 8), 1) + b"http://h"
    assert (len(long), isinstance(only(long + b"\n"), Visit)) == (65_535, True)
    assert isinstance(only(long + b"/\n"), Visit)
    assert only(long + b"/a\n") == "line too long"


def test_times_reach_from_1970_to_a_day_ahead() -> None:
    for stamp, good in [
        ("1970-01-01 00:00:00", True),
        ("2024-06-02 00:00:00", True),
        ("2024-06-02 00:00:01", False),
    ]:
        line = PREFIX.replace(b"2024-05-06 00:00:00", stamp.encode()) + b"http://h/"
        assert isinstance(only(line), Visit) is good
    assert only(PREFIX.replace(b"2024", b"0001") + b"http://h/", tz="Asia/Tokyo") == "time out of range"
    assert only(PREFIX.replace(b"2024-05-06", b"0001-01-01") + b"http://h/", tz="Asia/Tokyo") == "bad time"


def test_blank_lines_are_numbered_and_not_counted() -> None:
    good = PREFIX + b"http://h/"
    log = read_log([b"\n", b" \t\r\n", good + b"\r\n", b"no\n", good.replace(b"[A", b"[B")], now=NOW)
    assert [(visit.line, visit.offset) for visit in log.visits] == [(3, 5), (5, 5 + len(good) + 2 + 3)]
    assert [(reject.line, reject.offset) for reject in log.rejects] == [(4, 5 + len(good) + 2)]
    assert (log.lines, log.duplicates) == (3, 0)


def test_the_same_time_and_key_count_once_and_the_first_stays() -> None:
    lines = [
        PREFIX + b"http://h/a/\n",
        PREFIX + b"http://h/b/\n",
        PREFIX.replace(b":00 [", b":01 [") + b"http://h/\n",
    ]
    log = read_log(lines, now=NOW)
    assert [visit.kind for visit in log.visits] == ["category", "main"]
    assert (log.visits[0].category, log.duplicates, log.lines) == ("a", 1, 3)


def test_order_is_time_then_position() -> None:
    later = PREFIX.replace(b":00 [", b":01 [")
    lines = [later + b"http://h/b\n", PREFIX + b"http://h/c\n", later.replace(b"[A", b"[0") + b"http://h/a\n"]
    assert [visit.category for visit in read_log(lines, now=NOW).visits] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("local", "instant"),
    [
        ("2023-07-01 12:00:00", datetime(2023, 7, 1, 10, tzinfo=UTC)),
        ("2023-10-29 02:30:00", datetime(2023, 10, 29, 0, 30, tzinfo=UTC)),  # twice on the clock: the first
    ],
)
def test_local_times_become_utc(local: str, instant: datetime) -> None:
    visit = only(PREFIX.replace(b"2024-05-06 00:00:00", local.encode()) + b"http://h/", tz="Europe/Berlin")
    assert isinstance(visit, Visit)
    assert visit.time == instant


def test_a_local_time_that_the_clock_skips_is_a_reject() -> None:
    line = PREFIX.replace(b"2024-05-06 00:00:00", b"2023-03-26 02:30:00") + b"http://h/"
    assert only(line, tz="Europe/Berlin") == "skipped time"


def test_an_address_has_one_spelling() -> None:
    visit = only(PREFIX.replace(b"1.1.1.1", b"2001:DB8:0::1") + b"http://h/")
    assert isinstance(visit, Visit)
    assert visit.address == "2001:db8::1"
