"""The seven reports: each a question, its definition, and how its answer and rows are computed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from calendar_days import DAY, FIRST_TIME, LAST_TIME, ClockSpan, clock_spans, period_before
from db.database import Database
from db.queries import reports as queries
from db.queries.reports import CartCounts, Scope
from service.columns.store import ColumnStore
from service.errors import NotFound
from service.reports import uncounted
from service.reports.rows import (
    CartRow,
    CountryRow,
    VisitorCountryRow,
    bought_together_rows,
    cart_row,
    cart_rows,
    country_rows,
    part_of_day_rows,
    visitor_country_rows,
)
from service.reports.uncounted import Source

LIVE = ("api", "page", "site")
SOURCES = {"all": ("log", *LIVE), "log": ("log",), "api": LIVE}
BOTS = {"human": (False,), "bot": (True,), "all": (False, True)}  # values of is_bot, by traffic
A_CATEGORY = "a category"  # in the titles of reports that take one
KINDS = {"all": ("category", "product"), "category": ("category",), "product": ("product",)}

Parameters = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReportAnswer:
    """A report's answer and its rows, which are dataclasses of service.reports.rows or db.queries.reports.

    `previous` is the row of the equally long period before, if that was asked for.
    """

    answer: str | int | None
    rows: Sequence[Any]
    previous: CartRow | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A question, what is counted for its answer, and the function that computes it."""

    number: int
    title: str
    definition: str
    compute: Callable[[Source, Scope, Parameters], Awaitable[ReportAnswer]]


@dataclass(frozen=True, slots=True)
class ReportResult:
    """A report that has run. `as_of` is the time of the newest visit that it counted."""

    report: Report
    parameters: Parameters
    answer: str | int | None
    rows: Sequence[Any]
    previous: CartRow | None
    as_of: datetime | None

    @property
    def title(self) -> str:
        """The report's question, with the category that is asked for."""
        category = self.parameters.get("category")
        return self.report.title if category is None else self.report.title.replace(A_CATEGORY, category)


def list_reports() -> list[Report]:
    """List the reports by number."""
    return list(REPORTS.values())


async def run_report(
    db: Database, store: ColumnStore, report: Report, parameters: Parameters
) -> ReportResult:
    """Compute a report. `parameters` are since, until, tz, source, traffic, limit, and the report's own."""
    async with db.raw_snapshot() as raw:
        as_of = await queries.select_newest_visit_time(raw)
        scope = scope_of(parameters, as_of)
        outcome = await report.compute(Source(db, raw, store), scope, parameters)
    rows = outcome.rows[: parameters["limit"]]
    return ReportResult(report, parameters, outcome.answer, rows, outcome.previous, as_of)


def get_report(number: str) -> Report:
    """Return the report of a number, as a path tells it.

    :raises NotFound: there is no such report
    """
    for report in REPORTS.values():
        if number == str(report.number):
            return report
    raise NotFound(f"there are only the reports 1 to {max(REPORTS)}", code="no_such_report")


def scope_of(parameters: Parameters, as_of: datetime | None) -> Scope:
    """Return the period, its whole days, the sources and the traffic that the parameters ask for."""
    since = parameters["since"] or FIRST_TIME
    until = parameters["until"] or LAST_TIME
    first_day = midnight(min(since, LAST_TIME) + DAY - timedelta(microseconds=1))
    last_day = midnight(until)
    if first_day >= last_day:
        first_day = last_day = since
    sources = SOURCES[parameters["source"]]
    bots = BOTS[parameters["traffic"]]
    return Scope(since, until, first_day, last_day, sources, as_of or FIRST_TIME, bots)


def midnight(time: datetime) -> datetime:
    """Return the start of the time's UTC day."""
    return time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def clock_spans_of(scope: Scope, tz: str) -> list[ClockSpan]:
    """Return how a zone's clock goes from a day before the scope to its end, or to after the newest visit."""
    first = max(scope.since, FIRST_TIME) - DAY
    end = max(first + DAY, min(scope.until, midnight(scope.as_of) + 2 * DAY))
    return list(clock_spans(tz, int(first.timestamp()), int(end.timestamp()) - 1))


async def compute_top_countries(source: Source, scope: Scope, parameters: Parameters) -> ReportAnswer:
    rows: Sequence[CountryRow | VisitorCountryRow]
    if parameters["metric"] == "visitors":
        rows = visitor_country_rows(await uncounted.count_visitors(source, scope))
    else:
        counts = await queries.select_top_countries(source.raw, scope)
        rows = country_rows(await uncounted.add_lines(source, scope, counts))
    return ReportAnswer(rows[0].name if rows else None, rows)


async def compute_category_countries(source: Source, scope: Scope, parameters: Parameters) -> ReportAnswer:
    category, kinds = parameters["category"], KINDS[parameters["pages"]]
    counts = await queries.select_category_countries(source.raw, scope, category, kinds)
    rows = country_rows(await uncounted.add_lines(source, scope, counts, category=category, kinds=kinds))
    return ReportAnswer(rows[0].name if rows else None, rows)


async def compute_category_hours(source: Source, scope: Scope, parameters: Parameters) -> ReportAnswer:
    category, kinds = parameters["category"], KINDS[parameters["pages"]]
    spans = clock_spans_of(scope, parameters["tz"])
    clock = await uncounted.make_clock(
        source, scope, spans, unit="hour of the day", category=category, kinds=kinds
    )
    rows = part_of_day_rows(await queries.select_category_hours(source.raw, scope, category, kinds, clock))
    return ReportAnswer(rows[0].part_of_day if rows else None, rows)


async def compute_busiest_hours(source: Source, scope: Scope, parameters: Parameters) -> ReportAnswer:
    spans = clock_spans_of(scope, parameters["tz"])
    clock = await uncounted.make_clock(source, scope, spans, unit="clock hour")
    rows = await queries.select_busiest_hours(source.raw, scope, clock, parameters["limit"])
    return ReportAnswer(rows[0].requests if rows else None, rows)


async def compute_bought_together(source: Source, scope: Scope, parameters: Parameters) -> ReportAnswer:
    category, limit = parameters["category"], parameters["limit"]
    others = await uncounted.count_baskets(source, scope, category)
    rows = bought_together_rows(
        await queries.select_bought_together(source.raw, scope, category, others, limit)
    )
    return ReportAnswer(rows[0].category if rows else None, rows)


async def compute_unpaid_carts(source: Source, scope: Scope, parameters: Parameters) -> ReportAnswer:
    """Count unpaid carts, but none that changed in the last `min_age` minutes before the newest visit."""
    unchanged_since = scope.as_of - timedelta(minutes=parameters["min_age"])
    counts = await count_carts(source, scope, unchanged_since)
    if parameters.get("compare") is None:
        return ReportAnswer(counts.unpaid, cart_rows(counts))
    since, until = period_before(parameters["since"], parameters["until"])
    scope_before = scope_of(parameters | {"since": since, "until": until}, scope.as_of)
    before = await count_carts(source, scope_before, unchanged_since)
    return ReportAnswer(counts.unpaid, cart_rows(counts), cart_row(before))


async def count_carts(source: Source, scope: Scope, unchanged_since: datetime) -> CartCounts:
    others = await uncounted.count_opened_carts(source, scope)
    return await queries.select_unpaid_carts(source.raw, scope, unchanged_since, others)


async def compute_repeat_purchases(source: Source, scope: Scope, parameters: Parameters) -> ReportAnswer:
    if await queries.holds_all_payments(source.raw, scope.since, scope.until):
        rows = await queries.select_repeat_purchases(source.raw, parameters["source"], parameters["traffic"])
    else:
        rows = await uncounted.count_users(source, scope)
    return ReportAnswer(sum(row.users for row in rows if row.purchases > 1), rows)


PEOPLE = "Visits of people count or, by traffic, those of bots, or all."
CARTS_OF_PEOPLE = (
    "Carts of people count or, by traffic, those of bots, or all: the first line of a cart tells."
)

REPORTS = {
    report.number: report
    for report in (
        Report(
            1,
            "From which country do visitors come most often?",
            "Requests by the country of their address (or, by metric, distinct addresses), most first. "
            "Private, reserved and unknown addresses count nowhere; share is of the rest. "
            f"{PEOPLE}",
            compute_top_countries,
        ),
        Report(
            2,
            "From which country do visitors look at a category most?",
            "Requests for the category's page and its products' pages (or, by pages, one of both) by the "
            "country of their address, most first; share is of those whose country is known. "
            f"{PEOPLE}",
            compute_category_countries,
        ),
        Report(
            3,
            "At what time of day is a category viewed most?",
            "Views of the category's page (or, by pages, of its products' pages, or both) in night "
            "(0 to 6 h), morning (6 to 12 h), day (12 to 18 h) and evening (18 to 24 h) of the "
            "time zone, most first; hours are the day's 24 counts. "
            f"{PEOPLE}",
            compute_category_hours,
        ),
        Report(
            4,
            "What is the most requests in a clock hour?",
            "Requests in each clock hour of the time zone, most first. An hour is named by the instant at "
            "which it begins, so one that the clock repeats is two. "
            f"{PEOPLE}",
            compute_busiest_hours,
        ),
        Report(
            5,
            "Which category is bought most with a category?",
            "Over carts paid in the period that hold the category: in how many of them each other category "
            "is (carts), as a share of all paid carts (support) and of those (confidence), and how "
            "many times as often as in any paid cart (lift). "
            f"{CARTS_OF_PEOPLE}",
            compute_bought_together,
        ),
        Report(
            6,
            "How many carts are unpaid?",
            "Carts whose first line (cart, pay or success) lies in the period and that have no success line; "
            "with min_age, only those unchanged for so many minutes before the newest visit. "
            f"{CARTS_OF_PEOPLE}",
            compute_unpaid_carts,
        ),
        Report(
            7,
            "How many users bought again?",
            "Users with two or more carts paid in the period; rows: how many users paid 1, 2, 3... of them. "
            f"{CARTS_OF_PEOPLE}",
            compute_repeat_purchases,
        ),
    )
}
