"""Visits as polars frames: the columns of the view `visit` that log lines fill, named and typed once.

`request_id` is the id of a visit, a UUID, as text.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, Table, Text, cast, func

from db.models import Visit

assert isinstance(Visit.__table__, Table)
VISIT: Table = Visit.__table__  # for statements whose rows become frames, and no objects

KEY = ("occurred_at", "request_id")
Schema = dict[str, pl.DataType | type[pl.DataType]]

COLUMNS: Schema = {
    "occurred_at": pl.Datetime("us", "UTC"),
    "request_id": pl.String,
    "position": pl.Int64,
    "source": pl.String,
    "kind": pl.String,
    "address": pl.String,
    "country": pl.String,
    "category_id": pl.Int32,
    "product_id": pl.Int32,
    "user_id": pl.Int64,
    "cart_id": pl.Int64,
    "goods_id": pl.Int64,
    "amount": pl.Int64,
    "import_id": pl.Int64,
    "page_url": pl.String,
}


TABLE_COLUMNS: Schema = {**COLUMNS, "is_bot": pl.Boolean}  # with what the view shows in another way


def schema_of(*names: str) -> Schema:
    """Return the types of some columns."""
    return {name: TABLE_COLUMNS[name] for name in names}


def frame_columns() -> list[ColumnElement[Any]]:
    """Return the columns of a frame as a statement selects them: ids and addresses as text."""
    changed: dict[str, ColumnElement[Any]] = {
        "request_id": cast(VISIT.c.id, Text).label("request_id"),
        "address": func.host(VISIT.c.address, type_=Text).label("address"),
    }
    columns = {name: changed[name] if name in changed else VISIT.c[name] for name in COLUMNS}
    return list(columns.values())


def visit_frame(rows: Iterable[Sequence[Any]]) -> pl.DataFrame:
    """Make a frame of rows that hold `frame_columns`."""
    return pl.DataFrame([tuple(row) for row in rows], schema=COLUMNS, orient="row")
