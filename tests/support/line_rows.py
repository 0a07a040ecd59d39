"""Visits in columns as plain rows, to compare."""

from datetime import datetime
from typing import NamedTuple

from calendar_days import instant
from service.logs.line_columns import KINDS, NUMBERS, TEMPLATE_PAGE, LineColumns


class LineRow(NamedTuple):
    position: int
    occurred_at: datetime
    key: int
    address: str
    url: str
    kind: str
    category: str | None
    product: str | None
    cart_id: int | None
    goods_id: int | None
    amount: int | None
    user_id: int | None


def line_rows(columns: LineColumns) -> list[LineRow]:
    """Return a row a line, in the order of the columns."""
    rows = []
    for row in range(len(columns)):
        page = int(columns.page[row])
        name = None if page == TEMPLATE_PAGE else columns.pages[page]
        kind = KINDS[columns.kind[row]]
        assert name is None or name.kind == kind
        cart_id, goods_id, amount, user_id = (
            int(getattr(columns, number)[row]) or None for number in NUMBERS
        )
        rows.append(
            LineRow(
                int(columns.position[row]),
                instant(int(columns.occurred[row])),
                int(columns.key[row]),
                columns.addresses[columns.address[row]],
                columns.page_url(row),
                kind,
                name and name.category,
                name and name.product,
                cart_id,
                goods_id,
                amount,
                user_id,
            )
        )
    return rows
