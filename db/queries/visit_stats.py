"""How many visits there are by group, and of how many visitors. Days are dates of a zone."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, Select, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import force_custom_plan
from db.models import Category, Visit
from db.queries.time_groups import time_groups
from db.queries.visit_list import VisitFilter


def groupings(tz: str) -> dict[str, ColumnElement[Any]]:
    """What visits can be grouped by. A category is its id."""
    return {
        "page": Visit.page_url.collate("C"),
        "user": Visit.user_id.expression,
        "country": Visit.country.collate("C"),
        "category": Visit.category_id.expression,
        **time_groups(Visit.occurred_at.expression, tz),
    }


async def select_visit_counts(
    session: AsyncSession, asked: VisitFilter, by: Sequence[str], tz: str, *, limit: int, offset: int
) -> Sequence[Row[Any]]:
    """Rows of the groups `by`, visits, visitors (distinct addresses), first and last time.

    Most visits first, then by group, nulls last; categories are named.
    """
    keys = [groupings(tz)[name].label(f"group_{place}") for place, name in enumerate(by)]
    times = (func.min(Visit.occurred_at).label("first"), func.max(Visit.occurred_at).label("last"))
    # Addresses are counted by grouping twice: count(DISTINCT) would sort all visits.
    by_address = (
        select(*keys, Visit.address, func.count().label("visits"), *times)
        .where(*asked.conditions())
        .group_by(*(key.name for key in keys), Visit.address)
        .subquery()
    )
    groups = [by_address.c[key.name] for key in keys]
    counted = (
        select(
            *groups,
            cast(func.sum(by_address.c.visits), BigInteger).label("visits"),
            func.count(by_address.c.address).label("visitors"),
            func.min(by_address.c.first).label("first"),
            func.max(by_address.c.last).label("last"),
        )
        .group_by(*groups)
        .having(func.count() > 0)
        .subquery()
    )
    told = [named(counted.c[key.name], name) for key, name in zip(keys, by, strict=True)]
    numbers = (counted.c.visits, counted.c.visitors, counted.c.first, counted.c.last)
    query: Select[Any] = (
        select(*told, *numbers).order_by(counted.c.visits.desc(), *told).limit(limit).offset(offset)
    )
    await force_custom_plan(session)
    rows: Sequence[Row[Any]] = (await session.execute(query)).all()
    return rows


def named(group: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """The group as it is told and sorted by."""
    if name != "category":
        return group
    return select(Category.name.collate("C")).where(Category.id == group).scalar_subquery()
