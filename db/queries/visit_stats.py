"""Statistics of visits: how many there are in each group, and of how many visitors."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Label, Subquery, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import AnyRow, force_custom_plan
from db.models import Category, Visit
from db.queries.time_groups import time_groups
from db.queries.visit_list import VisitFilter


def groupings(tz: str) -> dict[str, ColumnElement[Any]]:
    """Return what visits can be grouped by, by name. A category is its id."""
    return {
        "page": Visit.page_url.collate("C"),
        "user": Visit.user_id.expression,
        "country": Visit.country.collate("C"),
        "category": Visit.category_id.expression,
        **time_groups(Visit.occurred_at.expression, tz),
    }


async def select_visit_counts(
    session: AsyncSession,
    visit_filter: VisitFilter,
    group_by: Sequence[str],
    tz: str,
    *,
    limit: int,
    offset: int,
) -> Sequence[AnyRow]:
    """Return a row for each group: its values, visits, visitors (distinct addresses), first and last time.

    Most visits come first, then the order is by group, nulls last. A category is its name, a day the date in
    `tz`.
    """
    keys = [groupings(tz)[name].label(f"group_{index}") for index, name in enumerate(group_by)]
    counts = group_visits(keys, visit_filter)
    labels = [label_of(counts.c[key.name], name) for key, name in zip(keys, group_by, strict=True)]
    numbers = (counts.c.visits, counts.c.visitors, counts.c.first, counts.c.last)
    query = select(*labels, *numbers).order_by(counts.c.visits.desc(), *labels).limit(limit).offset(offset)
    await force_custom_plan(session)
    return (await session.execute(query)).all()


def group_visits(keys: Sequence[Label[Any]], visit_filter: VisitFilter) -> Subquery:
    """Return the query of the groups and their counts, in no order.

    Addresses are counted by grouping twice: count(DISTINCT) would sort all visits.
    """
    times = (func.min(Visit.occurred_at).label("first"), func.max(Visit.occurred_at).label("last"))
    by_address = (
        select(*keys, Visit.address, func.count().label("visits"), *times)
        .where(*visit_filter.conditions())
        .group_by(*(key.name for key in keys), Visit.address)
        .subquery()
    )
    groups = [by_address.c[key.name] for key in keys]
    return (
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


def label_of(group: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """Return what stands for the group in the result and its order: of a category its name."""
    if name != "category":
        return group
    return select(Category.name.collate("C")).where(Category.id == group).scalar_subquery()
