"""CSV, safe to open in a spreadsheet: there a cell that begins like a formula would be run.

Texts come from whoever visits the shop. `raw` leaves them as they are, for programs.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from api.times import rfc3339

FORMULA_BEGINS = frozenset("=+-@\t\r")
QUOTE = "'"  # a spreadsheet takes what is behind it for text


def csv_lines(rows: Iterable[Iterable[Any]], *, raw: bool) -> str:
    """Write each row as a line. Null is empty; booleans, lists and objects are JSON."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    write_cell = csv_cell if raw else safe_cell
    writer.writerows([write_cell(value) for value in row] for row in rows)
    return file.getvalue()


def csv_table(names: Sequence[str], rows: Sequence[Mapping[str, Any]], *, raw: bool) -> str:
    """Write rows with a header."""
    return csv_lines([names, *([row[name] for name in names] for row in rows)], raw=raw)


def safe_cell(value: Any) -> Any:
    """Return the cell, as text where a spreadsheet would run it. Numbers are not text."""
    if isinstance(value, str):
        return QUOTE + value if value and value[0] in FORMULA_BEGINS else value
    return csv_cell(value)


def csv_cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    return orjson.dumps(value).decode() if isinstance(value, dict | list | bool) else value
