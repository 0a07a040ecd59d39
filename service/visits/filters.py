"""Filters of visits, from what a query names to what rows have."""

from collections.abc import Mapping
from typing import Any

from db.database import Raw
from db.queries.agents import select_agent_ids, select_referrer_ids
from db.queries.names import select_category_id
from db.queries.visit_list import VisitFilter
from page_urls import normal_url

IS_BOT = {"human": False, "bot": True, "all": None}


async def make_filter(raw: Raw, category: str | None, filters: Mapping[str, Any]) -> VisitFilter | None:
    """Make a filter with the id of the category; None if there is no such category, and so no visit of it.

    A page is sought by the normal form of its URL, in which pages are stored.

    :param filters: fields of VisitFilter, and `traffic` and `referrer`, if they are given
    """
    fields = {name: value for name, value in filters.items() if name not in ("traffic", "referrer")}
    fields |= {"is_bot": IS_BOT[filters.get("traffic", "all")], **referrer_fields(filters.get("referrer"))}
    if fields.get("page_url") is not None:
        fields["page_url"] = normal_url(fields["page_url"])
    fields |= await origin_ids(raw, fields)
    if category is None:
        return VisitFilter(**fields)
    category_id = await select_category_id(raw, category)
    return None if category_id is None else VisitFilter(**fields, category_id=category_id)


async def origin_ids(raw: Raw, fields: Mapping[str, Any]) -> dict[str, list[int]]:
    """Return the ids of the agents and referrers that a filter names; few of them are of rare ones."""
    ids = {}
    agent = [fields.get(name) for name in ("browser", "os", "device")]
    referrer = [fields.get(name) for name in ("referrer_host", "referrer_url")]
    if agent != [None] * 3:
        ids["agent_ids"] = await select_agent_ids(raw, *agent)
    if referrer != [None] * 2:
        ids["referrer_ids"] = await select_referrer_ids(raw, *referrer)
    return ids


def referrer_fields(referrer: str | None) -> dict[str, str]:
    """Return the filter of a host, or of a whole URL, which has a slash at least behind its scheme."""
    if referrer is None:
        return {}
    return {"referrer_url": referrer} if "/" in referrer else {"referrer_host": referrer.lower()}
