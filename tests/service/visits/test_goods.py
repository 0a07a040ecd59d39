"""Goods are what SQL over all visits says, in whatever order logs and live visits come, and after undos."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.models import Import
from db.part_cache import PART_CACHE
from service.visits.retention import delete_before
from service.visits.store import store_live_visits
from tests.support.examples import examples
from tests.support.goods_oracle import check_goods
from tests.support.live_cases import live_row
from tests.support.log_imports import Importer, write
from tests.support.log_lines import line
from tests.support.merging import merge_visits
from tests.support.undo import of_file, undo

ADDRESSES = ("8.8.8.8", "10.0.0.1", "2001:4860:4860::8888")
PAGES = ("/caviar/eel/", "/caviar/pike/", "/fresh_fish/salmon/", "/caviar/")
START = datetime(2018, 8, 1)

moments = st.integers(0, 12).map(lambda seconds: START + timedelta(seconds=seconds))
paths = st.sampled_from(PAGES) | st.builds(
    "/cart?goods_id={}&amount=1&cart_id={}".format, st.integers(1, 3), st.integers(1, 4)
)
visits = st.tuples(moments, st.sampled_from(ADDRESSES), paths)


def log_of(number: int, lines: list[tuple[datetime, str, str]]) -> bytes:
    """Return a log whose lines stand in the order given, whatever their times."""
    keys = [f"{number}{n:07}" for n in range(len(lines))]
    text = "".join(
        line(time, key, address, path) + "\n" for key, (time, address, path) in zip(keys, lines, strict=True)
    )
    return of_file(number, text.encode())


async def store_live(shop: Importer, rows: list[tuple[datetime, str, str]], position: int) -> None:
    for time, address, path in rows:
        url = f"https://shop.example{path}"
        row = live_row(url, occurred_at=time, position=position, address=address)
        await store_live_visits(shop.db, [replace(row, country=shop.geo.country(address))])


steps = st.one_of(
    st.tuples(st.just("log"), st.lists(visits, min_size=1, max_size=25), st.sampled_from((300, 700, 10**6))),
    st.tuples(st.just("live"), st.lists(visits, min_size=1, max_size=4), st.integers(1, 30)),
    st.tuples(st.just("undo"), st.integers(0, 3), st.sampled_from((1, 8))),
    st.tuples(st.just("retention"), st.integers(0, 12), st.none()),
    st.tuples(st.just("cold"), st.none(), st.none()),
    st.tuples(st.just("merge"), st.none(), st.none()),
)


@given(st.lists(steps, min_size=1, max_size=7))
@settings(max_examples=examples(6), deadline=None, suppress_health_check=list(HealthCheck))
async def test_goods_are_what_all_visits_show(shop: Importer, tmp_path: Path, steps: list[Any]) -> None:
    await shop.empty()
    records: list[Import] = []
    for number, (step, value, option) in enumerate(steps):
        match step:
            case "log":
                write(tmp_path / f"{number}.txt", log_of(number, value))
                records.append(await shop.read(tmp_path / f"{number}.txt", chunk_bytes=option))
            case "live":
                await store_live(shop, [(time.replace(tzinfo=UTC), *rest) for time, *rest in value], option)
            case "undo" if records:
                await undo(shop, records.pop(value % len(records)), parts=option)
            case "retention":
                await delete_before(shop.db, START.replace(tzinfo=UTC) + timedelta(seconds=value))
            case "cold":
                PART_CACHE.clear()
            case "merge":
                await merge_visits(shop.db)
        await check_goods(shop.db)
        await shop.check_rollups()
