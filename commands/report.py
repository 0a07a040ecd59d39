"""`main.py report`: the answer of a report, as a table, as CSV or as the response body of GET /report."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Any, Literal

import orjson
import typer
from marshmallow import ValidationError
from rich.box import SIMPLE
from rich.table import Table

from api.reports import REQUESTS, ReportRequest, ReportResponse, row_names
from bootstrap import run_with_database
from commands.installation import open_installation
from commands.terminal import describe_error, err, fail, load_settings, one_line_errors, out, say
from db.database import Database
from db.queries.names import select_categories
from service.columns.store import ColumnStore
from service.reports import reports
from telemetry.printable import printable, printable_json
from transport.csv_text import csv_table

Form = Literal["table", "json", "csv"]
JSON_OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
SHOWN_CATEGORIES = 20
NOT_HERE = {"format", "raw"}  # parameters of the answer over HTTP: options say these here


def print_report(number: int, pairs: list[str], *, form: Form) -> None:
    """Run a report with parameters `NAME=VALUE` and print its answer."""
    if number not in REQUESTS:
        raise typer.BadParameter(f"there is no report {number}, but these:\n{list_reports()}")
    with one_line_errors():
        parameters = read_parameters(REQUESTS[number](), pairs)
        names_category = any(pair.startswith("category=") for pair in pairs)
        settings = load_settings()
        columns = ColumnStore.under(settings.data_dir, megabytes=settings.column_cache_mb)
        with open_installation(settings) as addresses:
            body = asyncio.run(
                run_with_database(
                    addresses,
                    lambda db: run_report(db, columns, number, parameters, names_category=names_category),
                )
            )
    match form:
        case "json":
            sys.stdout.buffer.write(printable_json(orjson.dumps(body, option=JSON_OPTIONS).decode()).encode())
        case "csv":
            text = csv_table(row_names(number, body["parameters"]), body["rows"], raw=False)
            sys.stdout.buffer.write(text.encode())
        case "table":
            print_table(body)


def list_reports() -> str:
    """Return the number and the question of each report, a line each."""
    return "\n".join(f"  {report.number} {report.title}" for report in reports.list_reports())


def read_parameters(request: ReportRequest, pairs: list[str]) -> dict[str, Any]:
    """Load parameters `NAME=VALUE`; one that is wrong is wrong usage.

    :raises BadParameter: one is none of the report's, or has a value that it does not take
    """
    names = sorted({field.data_key or name for name, field in request.load_fields.items()} - NOT_HERE)
    for pair in pairs:
        name, equals, _ = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"{name}: a parameter is given as NAME=VALUE")
        if name not in names:
            raise typer.BadParameter(f"{name} is not a parameter of this report; it takes {', '.join(names)}")
    try:
        parameters: dict[str, Any] = request.load(dict(pair.split("=", 1) for pair in pairs))
    except ValidationError as error:
        raise typer.BadParameter(describe_error(error)) from None
    return parameters


async def run_report(
    db: Database, columns: ColumnStore, number: int, parameters: dict[str, Any], *, names_category: bool
) -> dict[str, Any]:
    if "category" in parameters:
        await check_category(db, parameters["category"], is_named=names_category)
    result = await reports.run_report(db, columns, reports.get_report(str(number)), parameters)
    body: dict[str, Any] = ReportResponse().dump(result)
    return body


async def check_category(db: Database, category: str, *, is_named: bool) -> None:
    """Name the categories that there are if this one is none of them; and fail, unless it is the default."""
    async with db.read() as session:
        categories = await select_categories(session)
    if categories and category not in categories:
        more = len(categories) - SHOWN_CATEGORIES
        names = ", ".join(categories[:SHOWN_CATEGORIES]) + (f" and {more:,} more" if more > 0 else "")
        reason = f"no category {category}; there are {names}"
        if is_named:
            fail(reason)
        say(f"trawl: {reason}", console=err)


def print_table(body: dict[str, Any]) -> None:
    answer = "no data" if body["answer"] is None else body["answer"]
    say(f"{body['title']} {f'{answer:,}' if isinstance(answer, int) else answer}")
    rows = body["rows"]
    if rows:
        print_rows([{name: value for name, value in row.items() if name != "hours"} for row in rows])
        if "hours" in rows[0]:
            print_rows(
                [{"hour": f"{hour:02}", "views": views} for hour, views in enumerate(rows[0]["hours"])]
            )
    say(body["definition"], style="dim")


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """Print a table, numbers to the right; plain lines where no terminal shows it."""
    table = Table(box=None if not out.is_terminal else SIMPLE)
    for name, value in rows[0].items():
        table.add_column(name, justify="right" if isinstance(value, int | float) else "left")
    for row in rows:
        table.add_row(*map(cell_text, row.values()))
    out.print(table)


def cell_text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else printable(str(value))
