"""Cases for property tests of the reports: logs, how they are imported, live page views, and parameters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from service.logs.chunks import CHUNK_BYTES
from service.visits.store import store_live_visits
from tests.support import oracle
from tests.support.live_cases import live_row
from tests.support.log_imports import NOW, Importer, lines_of
from tests.support.log_lines import CATEGORIES, logs

ZONES = (
    "UTC",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Chatham",
)
TIME = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
BEGIN = datetime(2018, 10, 27, 12, tzinfo=UTC)

quarters = st.one_of(
    st.none(),
    st.integers(0, 150).map(lambda count: BEGIN + timedelta(minutes=15 * count)),
    st.integers(-1, 2).map(lambda day: datetime(2018, 10, 27, tzinfo=UTC) + timedelta(days=day)),
)
pages = st.sampled_from(("all", "category", "product"))
categories = st.sampled_from((*CATEGORIES, "nothing"))
OWN = {
    1: st.fixed_dictionaries({"metric": st.sampled_from(("requests", "visitors"))}),
    2: st.fixed_dictionaries({"category": categories, "pages": pages}),
    3: st.fixed_dictionaries({"category": categories, "pages": pages}),
    4: st.just({}),
    5: st.fixed_dictionaries({"category": categories}),
    6: st.fixed_dictionaries({"min_age": st.sampled_from((0, 1, 10, 60, 1000))}),
    7: st.just({}),
}


@st.composite
def scopes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the parameters that all reports have."""
    since, until = draw(quarters), draw(quarters)
    if since and until and since >= until:
        until = since + timedelta(minutes=15)
    source = draw(st.sampled_from(("all", "all", "log", "api")))
    limit = draw(st.sampled_from((1, 2, 10, 1000)))
    return {
        "since": since,
        "until": until,
        "tz": draw(st.sampled_from(ZONES)),
        "source": source,
        "traffic": draw(st.sampled_from(("human", "human", "bot", "all"))),
        "limit": limit,
    }


questions = st.lists(st.tuples(scopes(), st.fixed_dictionaries(OWN)), min_size=1, max_size=2)


@dataclass(frozen=True)
class Case:
    """A log, how it is imported, and a log of pages that are viewed live."""

    log: bytes
    live: bytes
    zone: str
    chunk_bytes: int
    cut: int  # where the log ends at its first import

    @property
    def visits(self) -> list[oracle.Visit]:
        return [*self.expected.visits, *(replace(visit, source="page") for visit in live_pages(self.live))]

    @property
    def expected(self) -> oracle.OracleLog:
        return oracle.read_log(lines_of(self.log), tz=self.zone, now=NOW)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a log in any order that is one chunk, or one in the order of time with any chunks and any cut.

    Only of these does the importer infer goods exactly as the oracle does.
    """
    log = draw(logs(min_lines=draw(st.sampled_from((0, 30))))).removesuffix(b"\n") + b"\n"
    live = draw(logs(broken=0, max_lines=8))
    zone, chunk_bytes, cut = draw(st.sampled_from(ZONES)), CHUNK_BYTES, 0
    if draw(st.booleans()):
        log = in_order_of_time(log)  # whose last line may lack its newline
        chunk_bytes, cut = draw(st.sampled_from((300, 1000, CHUNK_BYTES))), draw(st.integers(0, len(log)))
    return Case(log, live, zone, chunk_bytes, cut)


def in_order_of_time(log: bytes) -> bytes:
    def time(raw: bytes) -> bytes:
        match = TIME.search(raw)
        return match[0] if match else b""

    lines = log.split(b"\n")
    lines.sort(key=time)
    return b"\n".join(lines)


def live_pages(live: bytes) -> Iterator[oracle.Visit]:
    """Read the pages that are viewed live, without cart lines: their goods depend on the order of storing."""
    for visit in oracle.read_log(lines_of(live), now=NOW).visits:
        if visit.kind != "cart":
            yield replace(visit, offset=visit.line + 10**6)


async def store_live_pages(shop: Importer, live: bytes) -> None:
    for visit in oracle.read_log(lines_of(live), now=NOW).visits:
        if visit.kind == "cart":
            continue
        row = live_row(
            visit.url,
            occurred_at=visit.time,
            address=visit.address,
            country=shop.geo.country(visit.address),
            position=visit.line + 10**6,
            source="page",
        )
        await store_live_visits(shop.db, [row])
