"""Makes the columns of a chunk from those of its lines: in order, each line once, and with its own names."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from service.logs.line_columns import KINDS, TEMPLATE_PAGE, Int32s, Int64s, LineColumns, PageName
from service.logs.name_table import Name, NameTable
from service.logs.rejects import RejectedLine

Columns = dict[str, Int64s]


class Tables(NamedTuple):
    """The tables whose numbers the columns of lines hold; the last three only where lines say so much."""

    addresses: NameTable[str]
    pages: NameTable[PageName]
    methods: NameTable[str] | None = None
    referrers: NameTable[str] | None = None
    agents: NameTable[str] | None = None


def assemble(
    columns: Columns, tables: Tables, *, host: str, rejects: list[RejectedLine], log_format: str = "shop"
) -> LineColumns:
    """Return the lines of these columns, with the names of this chunk alone."""
    columns, duplicates = order_lines(columns)
    addresses, address = tables.addresses.compact(columns["address"])
    pages, page = compact_some(tables.pages, columns["page"])
    kind_of_page = np.array([KINDS.index(name.kind) for name in pages] or [0], np.int64)
    methods, method = compact_some(tables.methods, columns.get("method"))
    referrers, referrer = compact_some(tables.referrers, columns.get("referrer"))
    agents, agent = compact_some(tables.agents, columns.get("agent"))
    assert page is not None
    return LineColumns(
        occurred=columns["occurred"],
        key=columns["key"],
        position=columns["position"],
        kind=np.where(page == TEMPLATE_PAGE, columns["kind"], kind_of_page[page]).astype(np.int8),
        address=address,
        page=page,
        cart_id=columns["cart_id"],
        goods_id=columns["goods_id"],
        amount=columns["amount"],
        user_id=columns["user_id"],
        addresses=addresses,
        pages=pages,
        host=host,
        rejects=rejects,
        duplicates=duplicates,
        log_format=log_format,
        status=columns.get("status"),
        body_bytes=columns.get("body_bytes"),
        method=method,
        methods=methods,
        referrer=referrer,
        referrers=referrers,
        agent=agent,
        agents=agents,
    )


def compact_some(table: NameTable[Name] | None, numbers: Int64s | None) -> tuple[list[Name], Int32s | None]:
    """Compact those numbers that are not negative; nothing, where there is no such column."""
    if table is None or numbers is None:
        return [], None
    has_name = numbers >= 0
    places = np.full(len(numbers), -1, np.int32)
    names, places[has_name] = table.compact(numbers[has_name])
    return names, places


def merge_rows(columns: Columns, rows: Sequence[tuple[int, ...]]) -> Columns:
    """Return the columns and, behind them, rows of values in the order of the columns."""
    if not rows:
        return columns
    added = np.array(rows, np.int64).T
    return {
        name: np.concatenate([column, more])
        for (name, column), more in zip(columns.items(), added, strict=True)
    }


def merge_columns(parts: Sequence[Columns], names: Sequence[str]) -> Columns:
    """Return the lines of all parts, one part behind the other."""
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([np.zeros(0, np.int64), *(part[name] for part in parts)]) for name in names}


def order_lines(columns: Columns) -> tuple[Columns, int]:
    """Order lines by (occurred, position), and keep the first in the file of those with one time and key.

    Return how many were left out, too.
    """
    occurred, position = columns["occurred"], columns["position"]
    if (np.diff(position) < 0).any() or (np.diff(occurred) < 0).any():
        columns = take(columns, np.lexsort((position, occurred)))
    is_double = doubles(columns["occurred"], columns["key"])
    count = int(np.count_nonzero(is_double))
    return (take(columns, np.flatnonzero(~is_double)) if count else columns), count


def doubles(occurred: Int64s, key: Int64s) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which lines have the time and the key of an earlier one; the lines are in order of time."""
    is_double = np.zeros(len(key), np.bool_)
    keys = np.sort(key)
    if not (keys[1:] == keys[:-1]).any():
        return is_double
    order = np.lexsort((key, occurred))  # stable: equal ones stay in their order
    is_equal = (np.diff(occurred[order]) == 0) & (np.diff(key[order]) == 0)
    is_double[order[1:][is_equal]] = True
    return is_double


def take(columns: Columns, rows: Int64s) -> Columns:
    return {name: column[rows] for name, column in columns.items()}
