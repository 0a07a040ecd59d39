"""Template pages counted as columns, held to plain Python over their URLs."""

from collections import Counter
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.columns import templates
from service.columns.template_groups import KEYS, NUMBERS, Firsts, TemplateGroups
from service.columns.template_mixes import Mixes
from service.columns.templates import CART, PAY, SUCCESS, Template

HOSTS = ("", "https://shop.example", "https://shop.example/x", "a", "b", "c")
NUMBER = st.sampled_from((1, 2, 9, 10, 11, 19, 100, 101, 2**53, 10**18, 2**63 - 1))
CARTS = st.builds(Template, st.just(HOSTS[1]), st.just(CART), NUMBER, NUMBER, NUMBER, st.just(0))
PAYS = st.builds(Template, st.just(HOSTS[1]), st.just(PAY), NUMBER, st.just(0), st.just(0), NUMBER)
SUCCESSES = st.builds(
    Template, st.just(HOSTS[1]), st.just(SUCCESS), NUMBER, st.just(0), st.just(0), st.just(0)
)
PAGES = st.lists(st.one_of(CARTS, PAYS, SUCCESSES), min_size=1, max_size=40)
OTHERS = st.lists(st.integers(0, 3), min_size=40, max_size=40)


def columns_of(pages: list[Template], others: list[int]) -> dict[str, np.ndarray]:
    columns = {
        name: np.array([getattr(page, name) for page in pages], np.int64) for name in ("kind", *NUMBERS)
    }
    hosts = np.array([HOSTS.index(page.host) for page in pages])
    return columns | {"host": hosts, "other": np.array(others[: len(pages)])}


@given(PAGES, st.integers(1, 45), st.booleans())
def test_the_first_pages_by_url_are_chosen_and_none_behind_the_last_of_them(
    pages: list[Template], most: int, on_two_hosts: bool
) -> None:
    if on_two_hosts:
        pages = [page._replace(host=HOSTS[place % 2]) for place, page in enumerate(pages)]
    columns = columns_of(pages, [0] * len(pages))

    chosen = Firsts(most).among(columns, np.ones(len(pages), np.bool_))

    urls = [page.url for page, one in zip(pages, chosen, strict=True) if one]
    first = sorted(page.url for page in pages)[:most]
    assert sorted(urls)[: len(first)] == first
    if not on_two_hosts:
        assert set(urls) == set(first)


@given(PAGES, OTHERS, st.integers(1, 20))
def test_where_the_other_group_comes_first_its_pages_are_chosen_with_it(
    pages: list[Template], others: list[int], most: int
) -> None:
    columns = columns_of(pages, others)
    firsts = Firsts(most, last=1, whole=(0,))

    chosen = firsts.among(columns, np.ones(len(pages), np.bool_))

    rows = [(other, page.url) for page, other in zip(pages, others, strict=False)]
    whole = [row for row in rows if row[0] == 0]
    last = sorted(row for row in rows if row[0] == 1)[:most]
    assert {row for row, one in zip(rows, chosen, strict=True) if one} == {*whole, *last}


def test_pages_of_many_hosts_are_all_chosen() -> None:
    pages = [Template(host, SUCCESS, 1, 0, 0, 0) for host in HOSTS]
    chosen = Firsts(1).among(columns_of(pages, [0] * 6), np.ones(6, np.bool_))
    assert chosen.all()


@pytest.mark.parametrize("factors", [None, (np.uint64(0),) * 7], ids=["as it is", "all mixed alike"])
def test_groups_are_exact_even_where_different_pages_are_mixed_alike(
    factors: tuple[np.uint64, ...] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if factors is not None:
        monkeypatch.setattr(templates, "FACTORS", factors)
    rng = np.random.default_rng(1)
    pages = [Template(HOSTS[number % 3], PAY, number % 5 + 1, 0, 0, 7) for number in range(300)]
    others = [number % 2 for number in range(300)]
    address, occurred = rng.integers(0, 6, 300), rng.integers(-9, 9, 300)
    columns = columns_of(pages, others) | {"address": address, "occurred": occurred}
    pieces = [
        {name: column[some] for name, column in columns.items()} for some in np.split(np.arange(300), 3)
    ]

    groups = TemplateGroups.of_rows(pieces)

    rows = list(zip(pages, others, address.tolist(), occurred.tolist(), strict=True))
    visits = Counter((page, other) for page, other, *_ in rows)
    expected = set()
    for (page, other), count in visits.items():
        mine = [row[2:] for row in rows if row[:2] == (page, other)]
        visitors = {visitor for visitor, _ in mine if visitor}
        times = [time for _, time in mine]
        expected.add((page, other, count, len(visitors), min(times), max(times)))
    counted = groups.at(np.arange(len(groups)), HOSTS)
    assert {(group.template, *astuple(group)[1:]) for group in counted} == expected


def test_no_rows_make_no_groups() -> None:
    groups = TemplateGroups.of_rows([])
    assert len(groups) == 0
    assert set(KEYS) < set(groups.columns)


def test_a_set_of_mixes_has_those_that_were_put_in() -> None:
    mixes = np.array([3, 2**20 + 3, 2**32 - 1], np.uint32)
    looked_up = np.array([0, 3, 2**21 + 3, 2**20 + 3, 2**32 - 1, 2**20 - 1], np.uint32)
    assert Mixes(mixes).has(looked_up).tolist() == [False, True, False, True, True, False]
    assert not Mixes(mixes[:0]).has(looked_up).any()
