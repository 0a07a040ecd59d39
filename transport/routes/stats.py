"""/events/stats and /stats: what the events add up to."""

from collections.abc import Sequence
from typing import Any

from marshmallow import Schema
from sanic import Blueprint
from sanic.response import HTTPResponse

from api.event_stats import (
    ActiveDayResponse,
    ActiveUsersRequest,
    CohortResponse,
    CountEventsRequest,
    EventCountResponse,
    FunnelRequest,
    FunnelStepResponse,
    RetentionRequest,
    TopEventResponse,
    TopEventsRequest,
)
from service.events import stats as event_stats
from service.events.stats import Segment
from transport.operations import Items, Page, operation
from transport.parsing import query
from transport.request import Request
from transport.responses import ok, page, tagged

blueprint = Blueprint("stats")


@blueprint.get("/events/stats", ctx_scope="events:read")
@operation(query=CountEventsRequest, answers={200: Page(EventCountResponse)}, etag=True)
async def count_events(request: Request) -> HTTPResponse:
    asked = query(request, CountEventsRequest())
    rows = await event_stats.count_events(request.deps.replica, **asked)
    counts = page(request, EventCountResponse(), rows, limit=asked["limit"], key=lambda row: cursor(row.key))
    return tagged(request, counts)


@blueprint.get("/stats/dau", ctx_scope="events:read")
@operation(query=ActiveUsersRequest, answers={200: Items(ActiveDayResponse)}, etag=True)
async def daily_active_users(request: Request) -> HTTPResponse:
    asked = query(request, ActiveUsersRequest())
    segment = Segment(**asked.pop("segment"))
    rows = await event_stats.daily_active_users(request.deps.replica, **asked, segment=segment)
    return whole(request, ActiveDayResponse(), rows)


@blueprint.get("/stats/top-events", ctx_scope="events:read")
@operation(query=TopEventsRequest, answers={200: Items(TopEventResponse)}, etag=True)
async def top_events(request: Request) -> HTTPResponse:
    asked = query(request, TopEventsRequest())
    return whole(request, TopEventResponse(), await event_stats.top_events(request.deps.replica, **asked))


@blueprint.get("/stats/retention", ctx_scope="events:read")
@operation(query=RetentionRequest, answers={200: Items(CohortResponse)}, etag=True)
async def retention(request: Request) -> HTTPResponse:
    asked = query(request, RetentionRequest())
    return whole(request, CohortResponse(), await event_stats.retention(request.deps.replica, **asked))


@blueprint.get("/stats/funnel", ctx_scope="events:read")
@operation(query=FunnelRequest, answers={200: Items(FunnelStepResponse)}, etag=True)
async def funnel(request: Request) -> HTTPResponse:
    asked = query(request, FunnelRequest())
    return whole(request, FunnelStepResponse(), await event_stats.funnel(request.deps.replica, **asked))


def cursor(key: Sequence[Any]) -> list[Any]:
    """A group's place as its cursor holds it: events and two groups, of which the second may be missing."""
    return [*key, None][:3]


def whole(request: Request, schema: Schema, rows: Sequence[Any]) -> HTTPResponse:
    """A list that has one page, which its parameters bound."""
    return tagged(request, ok({"items": schema.dump(rows, many=True), "next": None}))
