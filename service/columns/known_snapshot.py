"""What a process knows of parts, and of what their visits say, without asking PostgreSQL."""

from typing import Any, cast

from db.database import Database, Raw
from db.queries.newest_visits import select_moment
from service.columns.known_parts import KnownParts
from service.columns.snapshot import Snapshot
from service.columns.store import ColumnStore


class NotKnown(Exception):
    """the process does not know it: PostgreSQL must be asked"""


class NoConnection:
    """Stands for a connection where a read has none.

    :raises NotKnown: for whatever it is asked
    """

    def __getattr__(self, name: str) -> Any:
        raise NotKnown(name)


async def remember_parts(snapshot: Snapshot) -> None:
    """Keep which parts there are at the moment of a snapshot."""
    store, moment = snapshot.store, await select_moment(snapshot.raw)
    if store.parts is None or store.parts.moment != moment:
        store.parts = KnownParts(moment, await snapshot.spans())


def known_snapshot(db: Database, store: ColumnStore) -> Snapshot | None:
    """Return a snapshot of what the process knows, which raises NotKnown for all else; None if it is new."""
    if store.addresses is None or store.pages is None or store.names is None:
        return None
    if store.agents is None or store.referrers is None or store.users is None:
        return None
    return Snapshot(
        db,
        cast(Raw, NoConnection()),
        store,
        store.addresses,
        store.pages,
        store.agents,
        store.referrers,
        store.users,
        store.names,
    )
