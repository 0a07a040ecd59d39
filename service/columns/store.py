"""What a process needs to read columns: the files of parts, and what it remembers of names.

Nothing here imports numpy, which takes 0.1 s: commands that read no columns do without.
"""

import asyncio
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from db.column_files import ColumnFiles
from db.database import DATABASE_ERRORS, Database
from db.event_store import EventStore
from db.outages import raise_if_cancelled
from db.queries.dropped_parts import delete_dropped_columns
from db.queries.part_tokens import select_event_part_tokens, select_part_tokens

log = structlog.get_logger("trawl.columns")

if TYPE_CHECKING:
    from db.cart_day_files import CartColumns
    from db.part_files import PartColumns
    from service.columns.agents import AgentTable, ReferrerTable
    from service.columns.count_cache import CountCache
    from service.columns.known_parts import KnownParts
    from service.columns.names import AddressCountries, Names, PageTable
    from service.columns.users import UserTable

MIB = 2**20
CART_BYTES = 32 * MIB  # of days of carts, where there are no files
SWEEP_SECONDS = 60.0


@dataclass(slots=True)
class ColumnStore:
    """Made once a process; `names` and all that follow when the first reader comes."""

    files: "ColumnFiles[PartColumns]" = field(default_factory=lambda: ColumnFiles(None, bound=0))
    events: EventStore = field(default_factory=EventStore)
    cart_days: "ColumnFiles[CartColumns]" = field(
        default_factory=lambda: ColumnFiles(None, bound=CART_BYTES, form="db.cart_day_files")
    )
    cart_kinds: set[str] = field(default_factory=set)  # which days of carts this process was asked for
    names: "Names | None" = None
    pages: "PageTable | None" = None
    addresses: "AddressCountries | None" = None
    agents: "AgentTable | None" = None
    referrers: "ReferrerTable | None" = None
    users: "UserTable | None" = None
    count_cache: "CountCache | None" = None
    parts: "KnownParts | None" = None  # of the last list that asked PostgreSQL for them

    @classmethod
    def under(cls, data_dir: Path, *, megabytes: int) -> "ColumnStore":
        """Make a store whose files stand in folders of their own.

        Of sixteen parts three are of events, and one of carts; without files some carts are kept in memory.
        """
        part = megabytes * MIB // 16
        carts = data_dir / "cart-columns" if megabytes else None
        return cls(
            ColumnFiles(data_dir / "columns", bound=12 * part),
            EventStore(ColumnFiles(data_dir / "event-columns", bound=3 * part, form="db.event_parts")),
            ColumnFiles(carts, bound=part or CART_BYTES, form="db.cart_day_files"),
        )


async def sweep_columns(db: Database, store: ColumnStore, *, seconds: float = SWEEP_SECONDS) -> None:
    """Delete columns and files of parts that are gone, and write those of days of carts, again and again."""
    while True:
        await asyncio.sleep(seconds * random.uniform(0.5, 1.5))  # noqa: S311 - so that workers take turns
        try:
            await delete_dropped_columns(db)
            async with db.read() as session:
                tokens = await select_part_tokens(session)
            async with db.read() as session:
                event_tokens = await select_event_part_tokens(session)
            if store.cart_kinds:
                from service.columns.cart_days import read_other_days

                await read_other_days(db, store.cart_days, store.cart_kinds)
        except DATABASE_ERRORS as error:
            raise_if_cancelled()
            log.warning("columns_not_swept", error=str(error))
            continue
        if store.users is not None:
            store.users.drop_all_but(tokens)
        if store.pages is not None:
            store.pages.mixes.drop_all_but(tokens)
        await asyncio.to_thread(store.files.drop_all_but, tokens)
        await asyncio.to_thread(store.events.files.drop_all_but, event_tokens)
