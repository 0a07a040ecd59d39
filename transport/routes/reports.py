"""The reports, as JSON, as a table (CSV) or as a chart (SVG)."""

from collections.abc import Mapping
from typing import Any

from sanic import Blueprint, HTTPResponse

from api.reports import FORMATS, REQUESTS, ReportResponse, ReportSummary, report_request, row_names
from service.reports import reports
from transport.accept import accepted_format
from transport.charts.chart import chart
from transport.csv_text import csv_table
from transport.heavy import heavy_read
from transport.operations import Items, Text, operation
from transport.parsing import query
from transport.request import Request
from transport.response_cache import cache_response
from transport.responses import complete_list, csv, ok, with_etag

blueprint = Blueprint("reports")

report_response = ReportResponse()
report_summary = ReportSummary()

MEDIA_TYPES = {
    "application/json": "json",
    "text/csv": "csv",
    "image/svg+xml": "svg",
    "application/*": "json",
    "text/*": "csv",
    "image/*": "svg",
    "*/*": "json",
}


@blueprint.get("/reports", ctx_scope="reports:read", ctx_share="reports")
@operation(responses={200: Items(ReportSummary)})
async def list_reports(_request: Request) -> HTTPResponse:
    return complete_list(report_summary, reports.list_reports())


@blueprint.get("/report/<number:str>", ctx_scope="reports:read", ctx_share="report")
@operation(
    query=tuple(REQUESTS.values()),
    responses={
        200: {
            "application/json": ReportResponse,
            "text/csv": Text("country,name,requests,share\r\nUS,United States,9200,0.3789\r\n"),
            "image/svg+xml": Text('<svg xmlns="http://www.w3.org/2000/svg"/>', "a chart"),
        }
    },
    problems={404: "no_such_report"},
    path={"number": {"type": "integer", "enum": list(REQUESTS)}},
    etag=True,
)
@cache_response
@heavy_read
async def get_report(request: Request, number: str) -> HTTPResponse:
    report = reports.get_report(number)
    parameters = query(request, report_request(report.number))
    result = await reports.run_report(request.deps.replica, request.deps.columns, report, parameters)
    body = report_response.dump(result)
    form = parameters["format"] or accepted_format(request, MEDIA_TYPES, default=FORMATS[0])
    return with_etag(request, render(body, form, raw=parameters["raw"]))


def render(body: Mapping[str, Any], form: str, *, raw: bool) -> HTTPResponse:
    """Render a report's response body as `json`, `csv` or `svg`. `raw` is of CSV."""
    match form:
        case "csv":
            names = row_names(body["report"], body["parameters"])
            return csv(csv_table(names, body["rows"], raw=raw), filename=f"report-{body['report']}.csv")
        case "svg":
            return HTTPResponse(chart(body), content_type="image/svg+xml")
        case _:
            return ok(body)
