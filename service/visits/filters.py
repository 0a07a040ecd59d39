"""Filters of visits, from what a query names to what rows have."""

from typing import Any

from db.database import Transaction
from db.queries.names import select_category_id
from db.queries.visit_list import VisitFilter
from page_urls import normal_url


async def make_filter(
    session: Transaction, category: str | None, filters: dict[str, Any]
) -> VisitFilter | None:
    """Make a filter with the id of the category; None if there is no such category, and so no visit of it.

    A page is sought by the normal form of its URL, in which pages are stored.
    """
    if filters.get("page_url") is not None:
        filters = filters | {"page_url": normal_url(filters["page_url"])}
    if category is None:
        return VisitFilter(**filters)
    category_id = await select_category_id(session, category)
    return None if category_id is None else VisitFilter(**filters, category_id=category_id)
