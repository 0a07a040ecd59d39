"""Converts visits parsed into a frame to columns. Goes when nothing parses into frames any more."""

from datetime import timedelta

import numpy as np

from service.logs.columnar import ParsedChunk
from service.logs.line_columns import (
    EPOCH,
    KINDS,
    NUMBERS,
    TEMPLATE_PAGE,
    LineColumns,
    PageName,
    stored_key,
    template_url,
)


def from_frame(parsed: ParsedChunk) -> LineColumns:
    """Return the same visits in the order of columns."""
    rows = parsed.visits.sort("occurred_at", "position").rows(named=True)
    addresses: dict[str, int] = {}
    pages: dict[PageName, int] = {}
    host = next((host_of(row) for row in rows if row["cart_id"]), "")
    page = []
    for row in rows:
        numbers = {name: row[name] or 0 for name in NUMBERS}
        if row["cart_id"] and row["page_url"] == template_url(host, row["kind"], **numbers):
            page.append(TEMPLATE_PAGE)
        else:
            name = PageName(row["page_url"], row["kind"], row["category"], row["product"])
            page.append(pages.setdefault(name, len(pages)))
    return LineColumns(
        occurred=np.array(
            [(row["occurred_at"] - EPOCH) // timedelta(microseconds=1) for row in rows], np.int64
        ),
        key=np.array([stored_key(row["request_id"]) for row in rows], np.int64),
        position=np.array([row["position"] for row in rows], np.int64),
        kind=np.array([KINDS.index(row["kind"]) for row in rows], np.int8),
        address=np.array([addresses.setdefault(row["address"], len(addresses)) for row in rows], np.int32),
        page=np.array(page, np.int32),
        **{name: np.array([row[name] or 0 for row in rows], np.int64) for name in NUMBERS},
        addresses=list(addresses),
        pages=list(pages),
        host=host,
        rejects=parsed.rejects,
        duplicates=parsed.duplicates,
        log_format=parsed.log_format,
    )


def host_of(row: dict[str, str]) -> str:
    """Return scheme and host of a row's URL; empty for a bare path."""
    return "/".join(row["page_url"].split("/", 3)[:3]) if not row["page_url"].startswith("/") else ""
