"""The parts of visits as they are at one moment, read from files, or from PostgreSQL where there are none."""

import uuid
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from db.column_files import ColumnFiles
from db.database import Database, Raw
from db.part_files import PartColumns, make_columns
from db.queries import column_reads as queries
from db.queries.column_reads import Span
from db.queries.dropped_parts import select_late_columns
from db.queries.live_columns import LiveColumns
from db.queries.visit_list import VisitFilter
from db.read_threads import Waiting, run_while_awaited
from db.sessions import raw_connection
from db.unique import distinct
from service.columns.agents import AgentTable, ReferrerTable
from service.columns.names import AddressCountries, Names, PageTable
from service.columns.store import ColumnStore
from service.columns.users import UserTable

BATCH = 32  # parts that are read at a time; those of no file are in memory meanwhile
DECODED = 4  # parts whose arrays are asked for at a time

Columns = dict[uuid.UUID, PartColumns]
Parts = list[tuple[Span, PartColumns]]


@dataclass(slots=True)
class Snapshot:
    """One moment of the database, for as long as its transaction is open."""

    db: Database
    raw: Raw
    store: ColumnStore
    addresses: AddressCountries
    pages: PageTable
    agents: AgentTable
    referrers: ReferrerTable
    users: UserTable
    names: Names

    async def spans(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        sources: Collection[str] | None = None,
    ) -> list[Span]:
        """Return the parts that may have visits of [since, until), those with the newest first.

        :param sources: of their visits; None for any
        """
        return await queries.select_spans(self.raw, since, until, sources)

    async def spans_of(self, visit_filter: VisitFilter) -> list[Span]:
        """Return the parts that may have visits which a filter lets through, those with the newest first."""
        return await self.spans(visit_filter.since, visit_filter.until, visit_filter.sources)

    async def batches(self, spans: Sequence[Span], *, size: int = BATCH) -> AsyncIterator[Parts]:
        """Yield parts with their columns, some at a time, and know their addresses and pages."""
        for some in chunks(spans, size):
            yield await self.read(some)

    async def read(self, spans: Sequence[Span]) -> Parts:
        """Return parts with their columns, and know their addresses and pages."""
        files = self.store.files
        columns = files.peek([span.token for span in spans])
        if len(columns) < len(spans):
            columns = await run_while_awaited(lambda _: files.get_all([span.token for span in spans]))
        missing = [span for span in spans if span.token not in columns]
        for some in chunks(missing, DECODED):
            tokens = [span.token for span in some]
            rows = await queries.select_part_arrays(self.raw, tokens)
            if late := [token for token in tokens if token not in rows]:
                rows |= await select_late_columns(self.db, queries.select_part_arrays, late)
            columns |= await run_while_awaited(partial(decode, files, rows))
        await self.load_names(columns)
        return [(span, columns[span.token]) for span in spans]

    async def load_names(self, columns: Columns) -> None:
        """Look up the addresses, pages, agents and referrers of parts that are not known yet."""
        for table in (self.addresses, self.pages, self.agents, self.referrers):
            new = [token for token in columns if token not in table.tokens]
            if new:
                ids = table.missing([columns[token] for token in new])
                if len(ids):
                    await table.load(self.raw, ids)
                table.tokens.update(new)

    async def load_live_names(self, live: LiveColumns) -> None:
        """Look up the agents and referrers of live visits that are not known yet."""
        for table, column in ((self.agents, live.agent), (self.referrers, live.referrer)):
            ids = table.unknown([distinct(column)])
            if len(ids):
                await table.load(self.raw, ids)


def decode(files: ColumnFiles[PartColumns], rows: Mapping[uuid.UUID, Any], waiting: Waiting) -> Columns:
    """Decode the arrays of parts, and write their files."""
    columns = {}
    for token, row in rows.items():
        waiting.check()
        columns[token] = files.put(token, make_columns(queries.decode_arrays(row)))
    return columns


@asynccontextmanager
async def open_snapshot(db: Database, store: ColumnStore) -> AsyncIterator[Snapshot]:
    """Read visits as of one moment."""
    async with db.raw_snapshot() as raw:
        yield await make_snapshot(db, raw, store)


@asynccontextmanager
async def open_long_snapshot(db: Database, store: ColumnStore) -> AsyncIterator[Snapshot]:
    """Open a snapshot on a connection of its own, for as long as it takes."""
    async with db.dedicated_snapshot() as session:
        yield await make_snapshot(db, await raw_connection(session), store)


async def make_snapshot(db: Database, raw: Raw, store: ColumnStore) -> Snapshot:
    """Read visits in a transaction that sees one moment."""
    version = await queries.begin_reading(raw)
    if store.addresses is None or store.addresses.version != version:
        store.addresses, store.count_cache = AddressCountries(version), None
    if store.pages is None or store.names is None:
        store.pages, store.names = PageTable(), Names()
    if store.agents is None or store.referrers is None:
        store.agents, store.referrers = AgentTable(), ReferrerTable()
    if store.users is None or store.users.is_stale:
        store.users, store.count_cache = UserTable(), None
    return Snapshot(
        db, raw, store, store.addresses, store.pages, store.agents, store.referrers, store.users, store.names
    )


def chunks(spans: Sequence[Span], size: int) -> Iterator[Sequence[Span]]:
    for begin in range(0, len(spans), size):
        yield spans[begin : begin + size]
