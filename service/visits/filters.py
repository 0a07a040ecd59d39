"""Filters of visits, from what a query names to what rows have."""

from typing import Any

from db.database import Transaction
from db.queries.names import select_category_id
from db.queries.visit_list import VisitFilter


async def make_filter(
    session: Transaction, category: str | None, filters: dict[str, Any]
) -> VisitFilter | None:
    """Make a filter with the id of the category; None if there is no such category, and so no visit of it."""
    if category is None:
        return VisitFilter(**filters)
    category_id = await select_category_id(session, category)
    return None if category_id is None else VisitFilter(**filters, category_id=category_id)
