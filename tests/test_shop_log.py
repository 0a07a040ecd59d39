"""The generator of shop logs: deterministic, well formed, and right about its own answers."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise, permutations
from pathlib import Path

import pytest

from bench.shop_log import ExpectedAnswers, country_of, generate
from tests.support import oracle

ROOT = Path(__file__).parents[1]
LINES, SEED = 20_000, 1
cached_country_of = cache(country_of)


@cache
def committed_log() -> oracle.OracleLog:
    with (ROOT / "logs.txt").open("rb") as lines:
        return oracle.read_log(lines)


@cache
def committed_answers() -> ExpectedAnswers:
    expected = ExpectedAnswers()
    for _ in generate(LINES, SEED, expected=expected):
        pass
    return expected


def oracle_reports(visits: list[oracle.Visit]) -> dict[int, oracle.Report]:
    return {
        1: oracle.report_1(visits, cached_country_of),
        2: oracle.report_2(visits, cached_country_of),
        3: oracle.report_3(visits),
        4: oracle.report_4(visits),
        5: oracle.report_5(visits),
        6: oracle.report_6(visits),
        7: oracle.report_7(visits),
    }


def oracle_totals(visits: list[oracle.Visit]) -> dict[str, object]:
    carts = oracle.carts_of(visits).values()
    paid = [cart for cart in carts if cart.paid]
    learned = oracle.products_of_goods(visits)
    bought = [{str(learned[goods_id][0]) for goods_id in cart.goods} for cart in paid]
    return {
        "lines": len(visits),
        "kinds": Counter(visit.kind for visit in visits),
        "countries": Counter(code for visit in visits if (code := cached_country_of(visit.address))),
        "hours": Counter(visit.time.replace(minute=0, second=0) for visit in visits),
        "carts": len(carts),
        "paid": len(paid),
        "pairs": Counter(pair for categories in bought for pair in permutations(categories, 2)),
        "purchases": Counter(Counter(cart.user_id for cart in paid).values()),
    }


def test_the_committed_log_is_what_its_seed_makes() -> None:
    digest = hashlib.sha256("".join(generate(LINES, SEED)).encode())
    assert hashlib.sha256((ROOT / "logs.txt").read_bytes()).hexdigest() == digest.hexdigest()


@pytest.mark.slow
def test_the_known_answers_of_the_committed_log_are_the_oracles() -> None:
    log, expected = committed_log(), committed_answers()
    assert (len(log.visits), log.rejects, log.duplicates) == (20_000, [], 0)
    assert expected.answers == {n: answer for n, (answer, _) in oracle_reports(log.visits).items()}
    assert {name: getattr(expected, name) for name in oracle_totals(log.visits)} == oracle_totals(log.visits)


@pytest.mark.slow
def test_the_rows_of_the_committed_log_follow_from_the_known_counts() -> None:
    expected, reports = committed_answers(), oracle_reports(committed_log().visits)
    assert {row["country"]: row["requests"] for row in reports[1][1]} == dict(
        expected.countries.most_common(10)
    )
    assert {row["part_of_day"]: row["views"] for row in reports[3][1]} == expected.parts
    assert reports[3][1][0]["hours"] == expected.frozen_hours
    assert {row["purchases"]: row["users"] for row in reports[7][1]} == expected.purchases


def test_the_committed_log_has_telling_answers_without_ties() -> None:
    expected = committed_answers()
    answers = expected.answers
    assert answers[1] != answers[2]
    all_views = Counter(visit.time.hour // 6 for visit in committed_log().visits)
    assert list(expected.parts)[all_views.most_common(1)[0][0]] != answers[3]
    quick = Counter({b: n for (a, b), n in expected.pairs.items() if a == "semi_manufactures"})
    rankings = (expected.countries, expected.fresh_countries, Counter(expected.parts), expected.hours, quick)
    assert all(first > second for (_, first), (_, second) in (ranked.most_common(2) for ranked in rankings))
    assert 0 < int(answers[6] or 0) < expected.carts
    assert 0 < int(answers[7] or 0) < expected.purchases.total()


def test_the_committed_log_looks_like_a_shops() -> None:
    visits = committed_log().visits
    assert {visit.category for visit in visits if visit.product == "salmon"} == {"fresh_fish", "frozen_fish"}
    assert len({visit.category for visit in visits if visit.kind == "category"}) == 5
    assert len({(visit.category, visit.product) for visit in visits if visit.kind == "product"}) == 24
    without_country = sum(cached_country_of(visit.address) is None for visit in visits)
    assert 0.10 < without_country / len(visits) < 0.17
    assert 0.03 < sum(":" in visit.address for visit in visits) / len(visits) < 0.15
    followers = {(a.kind, b.kind) for a, b in pairwise(visits) if (a.time, a.address) == (b.time, b.address)}
    assert ("pay", "success") in followers
    assert sum(a.address != b.address for a, b in pairwise(visits)) > 5_000
    carts = Counter(visit.cart_id for visit in visits if visit.kind == "cart")
    assert max(carts.values()) > 2
    again = Counter((visit.cart_id, visit.goods_id) for visit in visits if visit.kind == "cart")
    assert max(again.values()) > 1


@pytest.mark.parametrize(
    ("lines", "seed", "days"),
    [(0, 1, 14), (1, 1, 14), (7, 2, 1), (997, 3, 0.01), (3_000, 4, 2), (3_000, 5, 30)],
)
def test_expected_answers_hold_for_any_length_and_density(lines: int, seed: int, days: float) -> None:
    expected = ExpectedAnswers()
    text = list(generate(lines, seed, days=days, expected=expected))
    log = oracle.read_log(line.encode() for line in text)
    assert (len(text), log.lines, log.rejects, log.duplicates) == (lines, lines, [], 0)
    assert [visit.line for visit in log.visits] == list(range(1, lines + 1))
    assert expected.answers == {n: answer for n, (answer, _) in oracle_reports(log.visits).items()}
    assert {name: getattr(expected, name) for name in oracle_totals(log.visits)} == oracle_totals(log.visits)


def test_visitors_who_leave_the_pool_keep_their_purchases() -> None:
    expected = ExpectedAnswers()
    log = oracle.read_log(line.encode() for line in generate(4_000, 6, expected=expected, pool_size=20))
    _, rows = oracle.report_7(log.visits)
    assert {row["purchases"]: row["users"] for row in rows} == expected.purchases


@pytest.mark.slow
def test_countries_change_answers_and_no_line() -> None:
    expected = ExpectedAnswers()
    start = datetime(2018, 8, 1, tzinfo=UTC)
    lines = generate(500, 7, start=start, country_of=lambda _: None, expected=expected)
    assert list(lines) == list(generate(500, 7, start=start))
    assert (expected.answers[1], expected.answers[2]) == (None, None)


def test_the_command_writes_the_same_log_and_its_answers_whatever_the_hash_seed(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "bench.shop_log",
        "--lines",
        "500",
        "--seed",
        "8",
        "--start",
        "2018-08-01",
    ]
    command += ["--days", "3", "--answers", str(tmp_path / "answers.json")]
    environment = os.environ | {"PYTHONHASHSEED": "77"}
    process = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    expected = ExpectedAnswers()
    start = datetime(2018, 8, 1, tzinfo=UTC)
    assert process.stdout.decode() == "".join(generate(500, 8, days=3, start=start, expected=expected))
    written = json.loads((tmp_path / "answers.json").read_text())
    assert written["answers"] == {str(n): answer for n, answer in expected.answers.items()}
    assert written["parts"] == expected.parts
    assert sum(written["hours"].values()) == 500
