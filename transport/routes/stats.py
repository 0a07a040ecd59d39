"""/events/stats and /stats: what the events add up to."""

from collections.abc import Sequence
from typing import Any

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
from service.events import stats
from service.events.stats import Segment
from transport.heavy import heavy_read
from transport.operations import Items, Page, operation
from transport.parsing import query
from transport.request import Request
from transport.responses import complete_list, page, with_etag

blueprint = Blueprint("stats")

count_events_request = CountEventsRequest()
event_count_response = EventCountResponse()
active_users_request = ActiveUsersRequest()
active_day_response = ActiveDayResponse()
top_events_request = TopEventsRequest()
top_event_response = TopEventResponse()
retention_request = RetentionRequest()
cohort_response = CohortResponse()
funnel_request = FunnelRequest()
funnel_step_response = FunnelStepResponse()


@blueprint.get("/events/stats", ctx_scope="events:read")
@operation(query=CountEventsRequest, responses={200: Page(EventCountResponse)}, etag=True)
@heavy_read
async def count_events(request: Request) -> HTTPResponse:
    parameters = query(request, count_events_request)
    rows = await stats.count_events(request.deps.replica, request.deps.columns.events, **parameters)
    response = page(
        request, event_count_response, rows, limit=parameters["limit"], key=lambda row: cursor_key(row.key)
    )
    return with_etag(request, response)


@blueprint.get("/stats/dau", ctx_scope="events:read")
@operation(query=ActiveUsersRequest, responses={200: Items(ActiveDayResponse)}, etag=True)
@heavy_read
async def daily_active_users(request: Request) -> HTTPResponse:
    parameters = query(request, active_users_request)
    segment = Segment(**parameters.pop("segment"))
    rows = await stats.count_daily_active_users(
        request.deps.replica, request.deps.columns.events, **parameters, segment=segment
    )
    return with_etag(request, complete_list(active_day_response, rows))


@blueprint.get("/stats/top-events", ctx_scope="events:read")
@operation(query=TopEventsRequest, responses={200: Items(TopEventResponse)}, etag=True)
@heavy_read
async def top_events(request: Request) -> HTTPResponse:
    parameters = query(request, top_events_request)
    rows = await stats.list_top_events(request.deps.replica, request.deps.columns.events, **parameters)
    return with_etag(request, complete_list(top_event_response, rows))


@blueprint.get("/stats/retention", ctx_scope="events:read")
@operation(query=RetentionRequest, responses={200: Items(CohortResponse)}, etag=True)
@heavy_read
async def retention(request: Request) -> HTTPResponse:
    parameters = query(request, retention_request)
    rows = await stats.count_retention(request.deps.replica, request.deps.columns.events, **parameters)
    return with_etag(request, complete_list(cohort_response, rows))


@blueprint.get("/stats/funnel", ctx_scope="events:read")
@operation(query=FunnelRequest, responses={200: Items(FunnelStepResponse)}, etag=True)
@heavy_read
async def funnel(request: Request) -> HTTPResponse:
    parameters = query(request, funnel_request)
    rows = await stats.count_funnel(request.deps.replica, request.deps.columns.events, **parameters)
    return with_etag(request, complete_list(funnel_step_response, rows))


def cursor_key(key: Sequence[Any]) -> list[Any]:
    """Return the sort key for a cursor: the events and two groups, the second null if there is one group."""
    return [*key, None][:3]
