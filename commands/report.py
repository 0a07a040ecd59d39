"""`main.py report`: the answer of a report, as a table or as the response body of GET /report."""

import asyncio
import sys
from typing import Any

import orjson
from rich.table import Table

from api.reports import REQUESTS, ReportResponse
from bootstrap import backing_services, run_with_database
from commands.terminal import fail, load_settings, one_line_errors, out, say
from db.database import Database
from service.columns.store import ColumnStore
from service.reports import reports
from telemetry.printable import printable, printable_json

JSON_OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def print_report(number: int, pairs: list[str], *, as_json: bool) -> None:
    """Run a report with parameters `NAME=VALUE` and print its answer."""
    with one_line_errors():
        if not all("=" in pair for pair in pairs):
            fail("a parameter is given as NAME=VALUE")
        settings = load_settings()
        parameters = REQUESTS[number]().load(dict(pair.split("=", 1) for pair in pairs))
        columns = ColumnStore.under(settings.data_dir, megabytes=settings.column_cache_mb)
        with backing_services(settings) as (addresses, _):
            body = asyncio.run(
                run_with_database(addresses, lambda db: run_report(db, columns, number, parameters))
            )
    if as_json:
        sys.stdout.buffer.write(printable_json(orjson.dumps(body, option=JSON_OPTIONS).decode()).encode())
    else:
        print_table(body)


async def run_report(
    db: Database, columns: ColumnStore, number: int, parameters: dict[str, Any]
) -> dict[str, Any]:
    result = await reports.run_report(db, columns, reports.get_report(str(number)), parameters)
    body: dict[str, Any] = ReportResponse().dump(result)
    return body


def print_table(body: dict[str, Any]) -> None:
    answer = "no data" if body["answer"] is None else body["answer"]
    say(f"{body['title']} {answer}")
    if body["rows"]:
        names = [name for name in body["rows"][0] if name != "hours"]
        table = Table(*names)
        for row in body["rows"]:
            table.add_row(*(printable(str(row[name])) for name in names))
        out.print(table)
    say(body["definition"], style="dim")
