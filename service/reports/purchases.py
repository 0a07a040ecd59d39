"""How often users bought in a period that does not hold all payments."""

from db.database import Raw
from db.queries.reports import PurchaseUsers, Scope
from service.columns.purchases import PurchaseStore, count_purchases
from service.columns.store import ColumnStore

LOG = "log"


async def count_users(raw: Raw, store: ColumnStore, scope: Scope) -> list[PurchaseUsers]:
    """Count users by the number of carts that they paid in the scope."""
    if store.purchases is None or store.purchases.is_full:
        store.purchases = PurchaseStore()
    has_log, has_live = LOG in scope.sources, bool(set(scope.sources) - {LOG})
    counts = await count_purchases(
        raw,
        store.purchases,
        scope.since,
        scope.until,
        is_live=None if has_log and has_live else has_live,
        is_bot=scope.is_bot,
    )
    return [PurchaseUsers(*row) for row in counts]
