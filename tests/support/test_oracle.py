"""The oracle's products, carts and reports, compared with ones computed by hand, and with a real log's."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from bench.shop_log import country_of
from tests.support import oracle
from tests.support.oracle import Visit, read_log

# The real log is not part of the project. It is read where it lies beside it.
SHOP_LOGS = [path for path in [Path(__file__).parents[3] / "shared/data/logs.txt"] if path.exists()]
COUNTRIES = {"1.1.1.1": "US", "2.2.2.2": "JP", "3.3.3.3": "JP", "4.4.4.4": "FR"}


def at(stamp: str) -> datetime:
    """`06 10:00:00` is that day of May 2024 in UTC."""
    return datetime.fromisoformat(f"2024-05-{stamp.replace(' ', 'T')}+00:00")


def visits_of(*lines: str, month: str = "2024-05") -> list[Visit]:
    """`06 10:00:00 1.1.1.1 /caviar api`: day of the month, time, address, path, and source if not log."""
    raw, sources = [], []
    for number, line in enumerate(lines):
        day, clock, address, path, *source = line.split(" ")
        url = f"https://shop.example{path}"
        raw.append(f"shop_api | {month}-{day} {clock} [{number:08}] INFO: {address} {url}\n".encode())
        sources += source or ["log"]
    log = read_log(raw, now=datetime(2024, 6, 1, tzinfo=UTC))
    assert not log.rejects
    return [replace(visit, source=sources[visit.line - 1]) for visit in log.visits]


def columns(report: oracle.Report, *names: str) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in names) for row in report[1]]


def cart_lines(
    stamp: str, cart_id: int, goods: str = "", user_id: int = 0, address: str = "1.1.1.1"
) -> list[str]:
    """A cart of the goods, one digit each; paid, in the same second, if there is a user."""
    lines = [f"{stamp} {address} /cart?goods_id={one}&amount=1&cart_id={cart_id}" for one in goods]
    if user_id:
        lines.append(f"{stamp} {address} /pay?user_id={user_id}&cart_id={cart_id}")
        lines.append(f"{stamp} {address} /success_pay_{cart_id}/")
    return lines


def test_goods_are_the_page_that_their_address_viewed_last() -> None:
    visits = visits_of(
        "06 09:00:00 2.2.2.2 /cart?goods_id=1&amount=1&cart_id=1",  # no page viewed: inferred below
        "06 09:00:01 1.1.1.1 /fresh_fish/salmon/",
        "06 09:00:02 1.1.1.1 /frozen_fish/salmon/",
        "06 09:00:02 1.1.1.1 /cart?goods_id=1&amount=1&cart_id=2",
        "06 09:00:02 1.1.1.1 /caviar/beluga/",  # after the cart line, though in its second
        "06 09:00:02 2.2.2.2 /caviar/beluga/",  # another address
        "06 09:00:03 2.2.2.2 /cart?goods_id=1&amount=1&cart_id=3",  # inferred once, and for all
        "06 09:00:04 3.3.3.3 /caviar/",  # no product page
        "06 09:00:05 3.3.3.3 /cart?goods_id=2&amount=1&cart_id=4",
    )
    carts = [(visit.goods_id, visit.category, visit.product) for visit in visits if visit.kind == "cart"]
    assert carts == [(1, "frozen_fish", "salmon")] * 3 + [(2, None, None)]


def test_a_cart_follows_from_its_lines() -> None:
    carts = oracle.carts_of(
        visits_of(
            "06 09:00:00 1.1.1.1 /cart?goods_id=5&amount=2&cart_id=1 api",
            "06 09:01:00 2.2.2.2 /cart?goods_id=5&amount=3&cart_id=1",
            "06 09:02:00 1.1.1.1 /cart?goods_id=6&amount=1&cart_id=1",
            "06 09:03:00 1.1.1.1 /pay?user_id=70&cart_id=1",
            "06 09:04:00 1.1.1.1 /pay?user_id=71&cart_id=1",
            "06 09:05:00 1.1.1.1 /success_pay_1/",
            "06 09:06:00 1.1.1.1 /success_pay_1/",
            "06 09:07:00 1.1.1.1 /pay?user_id=72&cart_id=2",
            "06 09:08:00 1.1.1.1 /success_pay_3/",
        )
    )
    first = carts[1]
    assert sorted(carts) == [1, 2, 3]
    assert (first.first.address, first.first.source, first.user_id) == ("1.1.1.1", "api", 71)
    assert first.goods == {5: 5, 6: 1}
    assert first.paid is not None
    assert (first.paid.time, first.last_change) == (at("06 09:05:00"), at("06 09:06:00"))
    assert (carts[2].user_id, carts[2].paid, carts[2].goods) == (72, None, {})
    assert (carts[3].user_id, carts[3].paid is carts[3].first) == (None, True)


def test_a_scope_holds_its_start_and_one_source_but_not_its_end() -> None:
    visits = visits_of(
        *["06 08:59:59 1.1.1.1 /", "06 09:00:00 1.1.1.1 /", "06 10:00:00 1.1.1.1 /"],
        *["06 09:59:59 2.2.2.2 / api", "06 09:59:59 4.4.4.4 / page"],
    )
    since, until = at("06 09:00:00"), at("06 10:00:00")
    assert oracle.report_4(visits)[0] == 3
    assert oracle.report_4(visits, since=until)[1] == [{"hour": until, "requests": 1}]
    assert oracle.report_4(visits, until=since)[1] == [{"hour": at("06 08:00:00"), "requests": 1}]
    assert oracle.report_4(visits, since=since, until=until)[1] == [{"hour": since, "requests": 3}]
    assert oracle.report_4(visits, since=since, until=until, source="log")[0] == 1
    assert oracle.report_4(visits, source="api")[1] == [{"hour": since, "requests": 2}]
    assert oracle.report_1(visits, COUNTRIES.get, source="api", limit=1)[0] == "France"
    assert len(oracle.report_1(visits, COUNTRIES.get, limit=2)[1]) == 2


def test_report_1_ranks_countries_and_leaves_out_the_unknown() -> None:
    visits = visits_of(
        *[f"06 09:00:0{second} 9.9.9.9 /" for second in range(9)],
        *[f"06 09:01:0{second} 1.1.1.1 /" for second in range(3)],
        *["06 09:02:00 2.2.2.2 /", "06 09:02:00 3.3.3.3 /", "06 09:02:01 3.3.3.3 /", "06 09:02:02 4.4.4.4 /"],
    )
    answer, rows = oracle.report_1(visits, COUNTRIES.get)
    assert answer == "Japan"  # as many as the United States, and before them by name
    assert rows[0] == {"country": "JP", "name": "Japan", "requests": 3, "share": 0.4286}
    assert columns((answer, rows), "country", "requests") == [("JP", 3), ("US", 3), ("FR", 1)]
    visitors = oracle.report_1(visits, COUNTRIES.get, metric="visitors")
    assert columns(visitors, "name", "visitors", "share") == [
        ("Japan", 2, 0.5),
        ("France", 1, 0.25),
        ("United States", 1, 0.25),
    ]


def test_report_2_counts_the_pages_of_one_category() -> None:
    visits = visits_of(
        *["06 09:00:00 1.1.1.1 /caviar/", "06 09:00:01 1.1.1.1 /", "06 09:00:02 1.1.1.1 /caviar/beluga"],
        *["06 09:00:00 4.4.4.4 /fresh_fish/trout", "06 09:00:01 4.4.4.4 /cart?goods_id=1&amount=1&cart_id=1"],
        *[
            "06 09:00:00 2.2.2.2 /fresh_fish",
            "06 09:00:01 2.2.2.2 /fresh_fish/",
            "06 09:00:03 1.1.1.1 /fresh_fish/",
        ],
    )
    names = ("country", "requests", "share")
    assert oracle.report_2(visits, COUNTRIES.get)[0] == "Japan"
    assert columns(oracle.report_2(visits, COUNTRIES.get), *names)[1:] == [("FR", 1, 0.25), ("US", 1, 0.25)]
    by_category = oracle.report_2(visits, COUNTRIES.get, pages="category")
    assert columns(by_category, *names) == [("JP", 2, 0.6667), ("US", 1, 0.3333)]
    assert columns(oracle.report_2(visits, COUNTRIES.get, pages="product"), *names) == [("FR", 1, 1.0)]
    assert oracle.report_2(visits, COUNTRIES.get, category="caviar")[0] == "United States"
    visitors = oracle.report_2(visits, COUNTRIES.get, metric="visitors")
    assert columns(visitors, "country", "visitors") == [("FR", 1), ("JP", 1), ("US", 1)]


def test_report_3_counts_views_by_local_part_of_the_day() -> None:
    visits = visits_of(
        *[
            "06 05:59:59 1.1.1.1 /frozen_fish/",
            "06 18:00:00 1.1.1.1 /frozen_fish",
            "06 12:00:00 1.1.1.1 /caviar/",
        ],
        *["06 12:00:01 1.1.1.1 /frozen_fish/hake/", "06 12:00:02 1.1.1.1 /frozen_fish/hake/"],
    )
    answer, rows = oracle.report_3(visits)
    assert answer == "night"  # as many as in the evening
    parts = ("part_of_day", "from_hour", "to_hour", "views")
    assert columns((answer, rows), *parts) == [
        ("night", 0, 6, 1),
        ("evening", 18, 24, 1),
        ("morning", 6, 12, 0),
        ("day", 12, 18, 0),
    ]
    hours = [1 if hour in {5, 18} else 0 for hour in range(24)]
    assert [row["hours"] for row in rows] == [hours] * 4
    assert oracle.report_3(visits, pages="all")[0] == "day"
    products = columns(oracle.report_3(visits, pages="product"), "part_of_day", "views")
    assert products == [("day", 2), ("night", 0), ("morning", 0), ("evening", 0)]
    assert oracle.report_3(visits, category="caviar")[0] == "day"
    berlin = oracle.report_3(visits, tz="Europe/Berlin")
    assert columns(berlin, "part_of_day", "views")[:2] == [("morning", 1), ("evening", 1)]


def test_report_4_ranks_clock_hours_of_the_zone() -> None:
    visits = visits_of(
        *[
            "06 10:00:00 1.1.1.1 /",
            "06 10:29:00 1.1.1.1 /",
            "06 09:31:00 9.9.9.9 /a/b/c",
            "06 11:00:00 1.1.1.1 /",
        ],
    )
    utc = [("06 10:00:00", 2), ("06 09:00:00", 1), ("06 11:00:00", 1)]
    assert columns(oracle.report_4(visits), "hour", "requests") == [(at(hour), count) for hour, count in utc]
    kolkata = columns(oracle.report_4(visits, tz="Asia/Kolkata"), "hour", "requests")
    assert kolkata == [(at("06 09:30:00"), 3), (at("06 10:30:00"), 1)]


def test_report_4_counts_an_hour_that_the_clock_repeats_as_two() -> None:
    instants = ["29 00:10:00 1.1.1.1 /", "29 00:50:00 1.1.1.1 /", "29 01:10:00 1.1.1.1 /"]
    rows = oracle.report_4(visits_of(*instants, month="2023-10"), tz="Europe/Berlin")[1]
    first = datetime(2023, 10, 29, 0, tzinfo=UTC)
    assert rows == [{"hour": first, "requests": 2}, {"hour": first.replace(hour=1), "requests": 1}]


def test_report_5_looks_at_paid_carts_with_the_category() -> None:
    pages = ["/semi_manufactures/a", "/caviar/b", "/fresh_fish/c", "/frozen_fish/d", "/semi_manufactures/e"]
    page_views = [
        line
        for number, page in enumerate(pages, start=1)
        for line in (
            f"06 08:00:0{number} 1.1.1.1 {page}",
            *cart_lines(f"06 08:00:0{number}", 90, str(number)),
        )
    ]
    visits = visits_of(
        *page_views,  # one cart with everything, never paid
        *cart_lines("06 09:00:00", 1, "1223", user_id=7),
        *cart_lines("06 09:10:00", 2, "53", user_id=7),
        *cart_lines("06 09:20:00", 3, "15", user_id=8),
        *cart_lines("06 10:00:00", 4, "23", user_id=9),
        *cart_lines("06 10:10:00", 5, "2", user_id=9),
        *cart_lines("06 10:20:00", 6, "", user_id=9),
        *cart_lines("06 10:30:00", 7, "98", user_id=9, address="5.5.5.5"),  # never inferred
    )
    answer, rows = oracle.report_5(visits)
    assert answer == "fresh_fish"
    # 7 paid carts, 3 with the category; fresh_fish is in 2 of them and in 3 of all, caviar in 1 and in 3.
    assert rows == [
        {"category": "fresh_fish", "carts": 2, "support": 0.2857, "confidence": 0.6667, "lift": 1.5556},
        {"category": "caviar", "carts": 1, "support": 0.1429, "confidence": 0.3333, "lift": 0.7778},
    ]
    early = oracle.report_5(visits, until=at("06 09:10:00"))
    assert columns(early, "category", "support", "lift") == [("caviar", 1.0, 1.0), ("fresh_fish", 1.0, 1.0)]
    assert oracle.report_5(visits, category="caviar")[0] == "fresh_fish"
    assert oracle.report_5(visits, category="frozen_fish") == (None, [])
    assert oracle.report_5(visits, source="api") == (None, [])


def test_report_6_counts_unpaid_carts_of_an_age() -> None:
    visits = visits_of(
        *cart_lines("06 09:00:00", 1, "1"),
        *cart_lines("06 09:20:00", 2, "1"),
        *cart_lines("06 09:30:00", 1, "2"),
        *cart_lines("06 09:30:00", 3, "1"),
        *cart_lines("06 09:59:00", 3, "", user_id=7),
        "06 10:00:00 9.9.9.9 /",
    )
    row = {"carts": 3, "paid": 1, "unpaid": 2, "unpaid_share": 0.6667}
    assert oracle.report_6(visits) == (2, [row])
    assert oracle.report_6(visits, min_age=30) == (2, [row])
    assert oracle.report_6(visits, min_age=31) == (1, [row | {"unpaid": 1, "unpaid_share": 0.3333}])
    first = {"carts": 1, "paid": 0, "unpaid": 1, "unpaid_share": 1.0}
    assert oracle.report_6(visits, until=at("06 09:20:00"), min_age=30) == (1, [first])
    assert oracle.report_6(visits, since=at("06 09:30:00")) == (
        0,
        [first | {"paid": 1, "unpaid": 0, "unpaid_share": 0.0}],
    )


def test_report_7_counts_users_by_paid_carts() -> None:
    visits = visits_of(
        *cart_lines("06 09:00:00", 1, "1", user_id=7),
        *cart_lines("07 09:00:00", 2, "1", user_id=7),
        *cart_lines("07 09:00:00", 3, "1", user_id=8),
        *cart_lines("08 09:00:00", 4, "1", user_id=9),
        "08 10:00:00 1.1.1.1 /success_pay_4/",  # the same cart again
        "08 11:00:00 1.1.1.1 /pay?user_id=8&cart_id=5",  # not paid
        "08 12:00:00 1.1.1.1 /success_pay_6/",  # nobody's
    )
    assert oracle.report_7(visits) == (1, [{"purchases": 1, "users": 2}, {"purchases": 2, "users": 1}])
    assert oracle.report_7(visits, since=at("07 09:00:00")) == (0, [{"purchases": 1, "users": 3}])
    assert oracle.report_7(visits, until=at("07 09:00:00")) == (0, [{"purchases": 1, "users": 1}])
    assert oracle.report_7(visits, source="api") == (0, [])


def test_no_data_has_no_answer() -> None:
    assert oracle.report_1([], COUNTRIES.get) == oracle.report_2([], COUNTRIES.get) == (None, [])
    assert oracle.report_3([]) == oracle.report_4([]) == oracle.report_5([]) == (None, [])
    assert oracle.report_6([]) == oracle.report_7([]) == (0, [])


@pytest.mark.parametrize("path", SHOP_LOGS)
def test_the_answers_for_a_real_shops_log(path: Path) -> None:
    with path.open("rb") as lines:
        log = read_log(lines)
    visits, country = log.visits, cache(country_of)
    assert (log.lines, len(visits)) == (24_284, 24_284)
    answer, rows = oracle.report_1(visits, country)
    assert (answer, abs(int(str(rows[0]["requests"])) - 9_200) <= 500) == ("United States", True)
    assert oracle.report_2(visits, country)[0] == "United States"
    night, day = oracle.report_3(visits), oracle.report_3(visits, pages="all")
    assert (night[0], night[1][0]["views"]) == ("night", 608)
    assert (day[0], day[1][0]["views"]) == ("day", 931)
    busiest = {"hour": datetime(2018, 8, 2, 3, tzinfo=UTC), "requests": 94}
    assert oracle.report_4(visits, limit=1) == (94, [busiest])
    answer, rows = oracle.report_5(visits)
    assert (answer, rows[0]["carts"]) == ("frozen_fish", 43)
    assert oracle.report_6(visits)[0] == 73
    assert oracle.report_7(visits)[0] == 77
    assert columns(oracle.report_7(visits), "users") == [(578,), (72,), (5,)]
