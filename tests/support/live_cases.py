"""Live visits for tests: from few addresses, in few seconds, so that they depend on each other."""

import uuid
from datetime import UTC, datetime
from typing import Any

import polars as pl
from hypothesis import strategies as st

from clients.geo import Geo
from db.queries.live_visits import LiveRow
from service.logs.columnar import VISIT_COLUMNS
from service.visits.pages import is_bare_path, parse_page
from tests.support.log_lines import ADDRESSES, paths, times

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def live_row(page_url: str = "/", **fields: Any) -> LiveRow:
    """Make a visit as it is stored. `fields` are those that the test is about."""
    page = parse_page(page_url, None)
    return LiveRow(
        request_id=str(fields.pop("id", None) or uuid.uuid4()),
        page_url=page_url,
        counts_page=is_bare_path(page_url),
        kind=page.kind,
        category=page.category,
        product=page.product,
        cart_id=page.cart_id,
        goods_id=page.goods_id,
        amount=page.amount,
        buyer_id=page.user_id,
        **{
            "occurred_at": NOW,
            "is_dated": True,
            "position": 1,
            "user_id": 1,
            "address": "8.8.8.8",
            "country": "US",
            "source": "api",
            **fields,
        },
    )


@st.composite
def batches(draw: st.DrawFn, geo: Geo) -> list[list[LiveRow]]:
    """Draw requests, of one visit or several."""
    position, requests = 0, []
    for size in draw(st.lists(st.integers(1, 8), min_size=1, max_size=5)):
        batch = []
        for _ in range(size):
            position += 1
            address = draw(st.sampled_from((*ADDRESSES, None)))
            host = draw(st.sampled_from(("", "https://shop.example")))
            path = draw(paths)
            visit = live_row(
                host + path if host or path.startswith("/") else "/",
                occurred_at=draw(times).replace(tzinfo=UTC, microsecond=draw(st.sampled_from((0, 1)))),
                position=position,
                user_id=draw(st.integers(1, 3)),
                address=address,
                country=address and geo.country(address),
                source=draw(st.sampled_from(("api", "page"))),
            )
            batch.append(visit)
        requests.append(batch)
    return requests


def as_log_rows(visits: list[LiveRow]) -> pl.DataFrame:
    """Convert visits to the columns of an import."""
    rows = [
        {
            "position": visit.position,
            "occurred_at": visit.occurred_at,
            "request_id": visit.request_id,
            "address": visit.address,
            "page_url": visit.page_url,
            "user_id": visit.buyer_id,
            **{name: getattr(visit, name) for name in ("kind", "category", "product")},
            **{name: getattr(visit, name) for name in ("cart_id", "goods_id", "amount")},
        }
        for visit in visits
    ]
    return pl.DataFrame(rows, schema=VISIT_COLUMNS)
