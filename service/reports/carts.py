"""Carts of a period, as far as no roll-up counts them: of partial days, and users who bought in it."""

from collections.abc import Sequence

from db.cart_day_files import CartColumns, OpenedCarts, PaidCarts
from db.column_files import ColumnFiles
from db.database import Raw
from db.queries.names import select_category_id
from db.queries.reports import BasketCounts, PurchaseUsers, Scope
from service.columns import cart_days
from service.columns.cart_days import CartFilter, Period
from service.columns.store import ColumnStore


def filter_of(scope: Scope, periods: Sequence[Period]) -> CartFilter:
    return CartFilter(periods, scope.is_live, scope.is_bot)


def files_of(store: ColumnStore, kind: str) -> ColumnFiles[CartColumns]:
    """Return the files of days; those of this kind are written ahead from now on."""
    store.cart_kinds.add(kind)
    return store.cart_days


async def count_users(raw: Raw, store: ColumnStore, scope: Scope) -> list[PurchaseUsers]:
    """Count users by the number of carts that they paid in the scope."""
    cart_filter = filter_of(scope, [(scope.since, scope.until)])
    counts = await cart_days.count_purchases(raw, files_of(store, PaidCarts.kind), cart_filter)
    return [PurchaseUsers(*row) for row in counts]


async def count_opened_carts(raw: Raw, store: ColumnStore, scope: Scope) -> tuple[int, int]:
    """Return how many carts were opened on partial days, and how many of them are paid."""
    cart_filter = filter_of(scope, scope.partial_days)
    return await cart_days.count_opened_carts(raw, files_of(store, OpenedCarts.kind), cart_filter)


async def count_baskets(raw: Raw, store: ColumnStore, scope: Scope, category: str) -> BasketCounts:
    """Count the carts that were paid on partial days by the categories in them."""
    cart_filter = filter_of(scope, scope.partial_days)
    category_id = await select_category_id(raw, category)
    return await cart_days.count_baskets(raw, files_of(store, PaidCarts.kind), cart_filter, category_id)
