"""The seven reports: each a question, its definition, and how its answer and the rows behind it are found."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from db.database import Database, Transaction
from db.queries import reports as queries
from db.queries.reports import Scope
from service.errors import NotFound
from service.reports import rows as report_rows

SOURCES = {"all": ("log", "api", "page"), "log": ("log",), "api": ("api", "page")}
KINDS = {"all": ("category", "product"), "category": ("category",), "product": ("product",)}
BEGIN_OF_TIME = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

Parameters = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A report's answer and its rows, which are dataclasses of service.reports.rows or of the queries."""

    answer: str | int | None
    rows: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Report:
    number: int
    title: str
    definition: str
    find: Callable[[Transaction, Scope, Parameters], Awaitable[Found]]


@dataclass(frozen=True, slots=True)
class ReportResult:
    """`as_of` is the time of the newest visit that the report has seen."""

    report: Report
    parameters: Parameters
    answer: str | int | None
    rows: Sequence[Any]
    as_of: datetime | None


def list_reports() -> list[Report]:
    return list(REPORTS.values())


async def run_report(db: Database, report: Report, parameters: Parameters) -> ReportResult:
    """The report's answer. `parameters`: since, until, tz, source, limit, and the report's own."""
    async with db.transaction() as session:
        as_of = await queries.newest_visit_time(session)
        scope = scope_of(parameters, as_of)
        found = await report.find(session, scope, parameters)
    rows = found.rows[: parameters["limit"]]
    return ReportResult(report, parameters, found.answer, rows, as_of)


def find_report(number: str) -> Report:
    """The report of a path's number. Raises NotFound `no_such_report`."""
    for report in REPORTS.values():
        if number == str(report.number):
            return report
    raise NotFound(f"there are only the reports 1 to {max(REPORTS)}", code="no_such_report")


def scope_of(parameters: Parameters, as_of: datetime | None) -> Scope:
    since = parameters["since"] or BEGIN_OF_TIME
    until = parameters["until"] or END_OF_TIME
    first_day = midnight(since + DAY - timedelta(microseconds=1))
    last_day = midnight(until)
    if first_day >= last_day:
        first_day = last_day = since
    sources = SOURCES[parameters["source"]]
    return Scope(since, until, first_day, last_day, sources, as_of or BEGIN_OF_TIME)


def midnight(time: datetime) -> datetime:
    """The begin of the time's UTC day."""
    return time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


async def top_countries(session: Transaction, scope: Scope, parameters: Parameters) -> Found:
    rows: Sequence[report_rows.CountryRow | report_rows.VisitorCountryRow]
    if parameters["metric"] == "visitors":
        rows = report_rows.visitors_by_country(await queries.top_visitor_countries(session, scope))
    else:
        rows = report_rows.requests_by_country(await queries.top_countries(session, scope))
    return Found(rows[0].name if rows else None, rows)


async def category_countries(session: Transaction, scope: Scope, parameters: Parameters) -> Found:
    category, kinds = parameters["category"], KINDS[parameters["pages"]]
    rows = report_rows.requests_by_country(await queries.category_countries(session, scope, category, kinds))
    return Found(rows[0].name if rows else None, rows)


async def category_hours(session: Transaction, scope: Scope, parameters: Parameters) -> Found:
    category, kinds = parameters["category"], KINDS[parameters["pages"]]
    rows = report_rows.views_by_part_of_day(
        await queries.category_hours(session, scope, category, kinds, parameters["tz"])
    )
    return Found(rows[0].part_of_day if rows else None, rows)


async def busiest_hours(session: Transaction, scope: Scope, parameters: Parameters) -> Found:
    rows = await queries.busiest_hours(session, scope, parameters["tz"], parameters["limit"])
    return Found(rows[0].requests if rows else None, rows)


async def bought_together(session: Transaction, scope: Scope, parameters: Parameters) -> Found:
    rows = report_rows.bought_together(
        await queries.bought_together(session, scope, parameters["category"], parameters["limit"])
    )
    return Found(rows[0].category if rows else None, rows)


async def unpaid_carts(session: Transaction, scope: Scope, parameters: Parameters) -> Found:
    """A cart that changed in the last `min_age` minutes before the newest visit is not given up yet."""
    unchanged_since = scope.as_of - timedelta(minutes=parameters["min_age"])
    counts = await queries.unpaid_carts(session, scope, unchanged_since)
    return Found(counts.unpaid, report_rows.cart_counts(counts))


async def repeat_purchases(session: Transaction, scope: Scope, parameters: Parameters) -> Found:
    rows = await queries.repeat_purchases(session, scope, parameters["source"])
    return Found(sum(row.users for row in rows if row.purchases > 1), rows)


REPORTS = {
    report.number: report
    for report in (
        Report(
            1,
            "From which country do visitors come most often?",
            "Requests by the country of their address (or, by metric, distinct addresses), most first. "
            "Private, reserved and unknown addresses count nowhere; share is of the rest.",
            top_countries,
        ),
        Report(
            2,
            "From which country do visitors look at a category most?",
            "Requests for the category's page and its products' pages (or, by pages, one of both) by the "
            "country of their address, most first; share is of those whose country is known.",
            category_countries,
        ),
        Report(
            3,
            "At what time of day is a category viewed most?",
            "Views of the category's page (or, by pages, of its products' pages, or both) in night "
            "(0 to 6 h), morning (6 to 12 h), day (12 to 18 h) and evening (18 to 24 h) of the "
            "time zone, most first; hours are the day's 24 counts.",
            category_hours,
        ),
        Report(
            4,
            "What is the most requests in a clock hour?",
            "Requests in each clock hour of the time zone, most first. An hour is named by the instant at "
            "which it begins, so one that the clock repeats is two.",
            busiest_hours,
        ),
        Report(
            5,
            "Which category is bought most with a category?",
            "Over carts paid in the period that hold the category: in how many of them each other category "
            "is (carts), as a share of all paid carts (support) and of those (confidence), and how "
            "many times as often as in any paid cart (lift).",
            bought_together,
        ),
        Report(
            6,
            "How many carts are unpaid?",
            "Carts whose first line (cart, pay or success) lies in the period and that have no success line; "
            "with min_age, only those unchanged for so many minutes before the newest visit.",
            unpaid_carts,
        ),
        Report(
            7,
            "How many users bought again?",
            "Users with two or more carts paid in the period; rows: how many users paid 1, 2, 3... of them.",
            repeat_purchases,
        ),
    )
}
