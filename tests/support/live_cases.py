"""Live visits for tests: from few addresses, in few seconds, so that they depend on each other."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import strategies as st

from calendar_days import EPOCH
from clients.geo import Geo
from db.queries.live_visits import LiveRow
from page_urls import normal_url
from service.logs.line_columns import KINDS, NUMBERS, LineColumns, PageName
from service.visits.pages import is_bare_path, parse_page
from tests.support.log_lines import ADDRESSES, paths, times

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def live_row(page_url: str = "/", **fields: Any) -> LiveRow:
    """Make a visit as it is stored. `fields` are those that the test is about."""
    page_url = normal_url(page_url)
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
def batches(
    draw: st.DrawFn, geo: Geo, addresses: tuple[str | None, ...] = (*ADDRESSES, None)
) -> list[list[LiveRow]]:
    """Draw requests, of one visit or several."""
    position, requests = 0, []
    for size in draw(st.lists(st.integers(1, 8), min_size=1, max_size=5)):
        batch = []
        for _ in range(size):
            position += 1
            address = draw(st.sampled_from(addresses))
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


def as_lines(visits: list[LiveRow]) -> LineColumns:
    """Convert visits with addresses, in order, to the lines of a log."""
    addresses = sorted({visit.address for visit in visits if visit.address is not None})
    names = [
        PageName(visit.page_url, parse_page(visit.page_url, None).kind, visit.category, visit.product)
        for visit in visits
    ]
    pages = sorted(set(names), key=repr)
    numbers: dict[str, Any] = {
        name: np.array([getattr(visit, field) or 0 for visit in visits], np.int64)
        for name, field in zip(NUMBERS, ("cart_id", "goods_id", "amount", "buyer_id"), strict=True)
    }
    return LineColumns(
        occurred=np.array([(visit.occurred_at - EPOCH) // timedelta(microseconds=1) for visit in visits]),
        key=np.array([visit.position for visit in visits]),
        position=np.array([visit.position for visit in visits]),
        kind=np.array([KINDS.index(visit.kind) for visit in visits], np.int8),
        address=np.array([addresses.index(visit.address or "") for visit in visits], np.int32),
        page=np.array([pages.index(name) for name in names], np.int32),
        **numbers,
        addresses=addresses,
        pages=pages,
        host="",
    )
