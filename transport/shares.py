"""What the key of a share may read: what its view shows with its parameters, and nothing else.

| view     | routes                           |
|----------|----------------------------------|
| overview | GET /visits/stats, /report/6     |
| reports  | GET /reports, /report/{n}        |

A route belongs to views by its `ctx_share`. A parameter of the share must be in each request as it is. One
that the share does not have must be left out, or have its default, unless it only changes the form of the
answer or its groups. A period that is relative to the newest visit allows requests of its length.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from marshmallow import ValidationError

from api.limits import MAX_PARAMETERS
from api.reports import REQUESTS, report_request
from api.shares import REPORT_KEYS, REPORT_PARAMETERS
from api.time_zones import is_time_zone
from api.times import DateTime, day_begin
from service.accounts.authentication import SharedView
from service.accounts.shares import get_newest_visit_time
from service.errors import Forbidden
from transport.request import Request

VIEWS = {"overview": frozenset({"statistics", "report"}), "reports": frozenset({"reports", "report"})}
ANY_VIEW = "own"  # of a route that tells only what the share itself is
CARTS = "6"  # the one report that the overview shows
FREE = {
    "statistics": frozenset({"group_by", "compare", "limit", "offset", "cursor", "tz"}),
    "report": frozenset({"compare", "limit", "format", "raw", "tz"}),
}
NOT_SHOWN = "user"  # what the overview does not group by
UNIT = "unit"  # in which the page draws its chart; the routes have groups
PRODUCTS = ("kind", "product")  # the overview lists them beside whatever filter it has
PARTS_OF_API = ("page", "site")  # sources that reports count together
DEFAULTS = {"source": "all", "traffic": "human"}
PERIOD = frozenset({"period", "from", "to"})
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Period = tuple[datetime | None, datetime | None]

time_field = DateTime()


@dataclass(frozen=True, slots=True)
class Length:
    """How long a relative period is. A day on which clocks change is an hour shorter or longer."""

    shortest: timedelta
    longest: timedelta
    reach: timedelta  # from its beginning to the newest visit, at most

    @classmethod
    def of(cls, days: int, *, shortest: int | None = None, reach: int | None = None) -> "Length":
        """Return the length of a period of `shortest` to `days` days that began `reach` days ago at most."""
        low, high = shortest or days, reach or days
        return cls(low * DAY - HOUR, days * DAY + HOUR, high * DAY + HOUR)


LENGTHS = {
    "today": Length.of(1),
    "24h": Length.of(1, reach=2),
    "7d": Length.of(7),
    "30d": Length.of(30),
    "90d": Length.of(90),
    "month": Length.of(31, shortest=1),
    "last-month": Length.of(31, shortest=28, reach=62),
    "year": Length.of(366, shortest=1),
}


async def check_share(request: Request, share: SharedView) -> None:
    """Check that a request reads no more than the view of a share shows.

    :raises Forbidden: it does
    """
    kind = getattr(request.route_ctx, "share", None)
    is_own = kind in VIEWS.get(share.view, ()) or kind == ANY_VIEW
    if kind is None or not is_own or request.method not in ("GET", "HEAD"):
        raise outside("the key of a share reads its view alone")
    if kind not in FREE:
        return
    parameters = read_parameters(request)
    shared = report_parameters(request, share) if kind == "report" else dict(share.parameters)
    shared.pop(UNIT, None)
    defaults = DEFAULTS | (report_defaults(request, share) if kind == "report" else {})
    if kind == "statistics":
        check_groups(parameters)
        if parameters.get(PRODUCTS[0]) == PRODUCTS[1]:
            del parameters[PRODUCTS[0]]
            shared.pop(PRODUCTS[0], None)
    for name in (parameters.keys() | shared.keys()) - PERIOD:
        check_parameter(name, parameters.get(name), shared.get(name), FREE[kind], defaults)
    period = shared.get("period")
    if period in LENGTHS:
        newest = await get_newest_visit_time(request.deps.replica)
        check_length(parameters, shared, LENGTHS[period], newest)
    else:
        check_period(parameters, shared)


def report_parameters(request: Request, share: SharedView) -> dict[str, str]:
    """Return the parameters of a share as they are for the report that a request names.

    :raises Forbidden: the view does not show this report
    """
    number = request.match_info["number"]
    is_overview = share.view == "overview"
    if is_overview and number != CARTS:
        raise outside("the overview shows no other report")
    # A filter that a report does not take keeps it out of a filtered overview.
    shared = dict(share.parameters) if is_overview else of_report(number, share.parameters)
    if shared.get("source") in PARTS_OF_API:
        shared["source"] = "api"
    return shared


def report_defaults(request: Request, share: SharedView) -> dict[str, str]:
    """Return the defaults of a report's own parameters, which its card in the view of the reports names."""
    number = request.match_info["number"]
    if share.view != "reports" or number not in map(str, REQUESTS):
        return {}
    fields = report_request(int(number)).fields.items()
    return {name: str(field.load_default) for name, field in fields if f"r{number}.{name}" in REPORT_KEYS}


def check_groups(parameters: Mapping[str, str]) -> None:
    """Check that a statistic is grouped by nothing that the overview does not show.

    :raises Forbidden: it is
    """
    if NOT_SHOWN in parameters.get("group_by", "").split(","):
        raise outside(f"group_by: the overview has no group {NOT_SHOWN}")


def of_report(number: str, shared: Mapping[str, str]) -> dict[str, str]:
    """Return what a share gives to a report: `r3.category` is of report 3, `category` of all that take it."""
    schema = report_request(int(number)) if number.isdecimal() and int(number) in REQUESTS else None
    strangers = REPORT_PARAMETERS if schema is None else set(REPORT_PARAMETERS) - schema.fields.keys()
    prefix = f"r{number}."
    common = {name: value for name, value in shared.items() if "." not in name and name not in strangers}
    return common | {
        name.removeprefix(prefix): value for name, value in shared.items() if name.startswith(prefix)
    }


def read_parameters(request: Request) -> dict[str, str]:
    """Read the query string.

    :raises Forbidden: it is not a plain one
    """
    try:
        pairs = parse_qsl(
            request.query_string, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError:
        raise outside("the query string is not UTF-8, or has too many parameters") from None
    if len(dict(pairs)) < len(pairs):
        raise outside("a parameter is given twice")
    return dict(pairs)


def check_parameter(
    name: str, value: str | None, shared: str | None, free: frozenset[str], defaults: Mapping[str, str]
) -> None:
    """Check a parameter of a request against that of the share.

    :raises Forbidden: it is another
    """
    if shared is not None:
        if value != shared:
            raise outside(f"{name}: the share shows another one")
    elif name not in free and value != defaults.get(name):
        raise outside(f"{name}: the share has none")


def check_period(parameters: Mapping[str, str], shared: Mapping[str, str]) -> None:
    """Check that a request asks for the period of the share, or for the equally long one before.

    :raises Forbidden: it does not
    """
    tz = zone_of(parameters, shared)
    period, whole = read_period(parameters, tz), read_period(shared, tz)
    is_shown = (
        period == whole or is_before(period, whole) or (is_hourly(parameters) and is_end(period, whole))
    )
    if not is_shown:
        raise outside("from, to: the share shows its own period")


def is_before(period: Period, whole: Period) -> bool:
    """Return whether a period ends where another begins, and is as long. Days may differ by an hour."""
    (since, until), (start, end) = period, whole
    if since is None or until is None or start is None or end is None:
        return False
    return until == start and abs((until - since) - (end - start)) <= HOUR


def is_hourly(parameters: Mapping[str, str]) -> bool:
    """Return whether a request is that of the heat map, which shows only the last days of a long period."""
    return parameters.get("group_by") == "hour"


def is_end(period: Period, whole: Period) -> bool:
    """Return whether a period is the last part of another."""
    (since, until), (start, end) = period, whole
    if since is None or until is None:
        return False
    return (start is None or since >= start) and (end is None or until == end)


def check_length(
    parameters: Mapping[str, str], shared: Mapping[str, str], length: Length, newest: datetime | None
) -> None:
    """Check that a request asks for a period of this length that ends at the newest visit, or the one before.

    :raises Forbidden: it does not
    """
    since, until = read_period(parameters, zone_of(parameters, shared))
    shortest = HOUR if is_hourly(parameters) else length.shortest
    if since is None or until is None or not shortest <= until - since <= length.longest:
        raise outside("from, to: the share shows a period of another length")
    # The day of the newest visit counts whole, and visits may have arrived since the page looked.
    if newest is not None and newest - since > length.reach + length.longest + DAY:
        raise outside("from, to: the share shows a later period")


def zone_of(parameters: Mapping[str, str], shared: Mapping[str, str]) -> str:
    """Return the zone in which a request means its dates.

    :raises Forbidden: it is none
    """
    tz = shared.get("tz") or parameters.get("tz", "UTC")
    if not is_time_zone(tz):
        raise outside("tz: must be an IANA time zone such as Europe/Berlin")
    return tz


def read_period(parameters: Mapping[str, str], tz: str) -> Period:
    """Read `from` and `to`; None for one that is not given.

    :raises Forbidden: one is not a time
    """
    return read_instant(parameters.get("from"), tz, days=0), read_instant(parameters.get("to"), tz, days=1)


def read_instant(text: str | None, tz: str, *, days: int) -> datetime | None:
    """Parse a time, or a date as its start, `days` later."""
    if text is None:
        return None
    try:
        return day_begin(text, tz, days=days) or time_field.deserialize(text)
    except ValidationError:
        raise outside("from, to: must be times or dates") from None


def outside(detail: str) -> Forbidden:
    """Make the refusal of a request that reads more than the view of a share."""
    return Forbidden(detail, code="out_of_scope")
