"""Events in the database, as the statement that takes them from clients stores them."""

import json
import uuid
from collections.abc import Sequence

from db.database import Database
from db.queries import events as queries
from db.queries.events import NewEvents
from tests.support.event_oracle import OneEvent


async def store_events(
    db: Database, events: Sequence[OneEvent], *, ids: Sequence[uuid.UUID] | None = None
) -> None:
    """Store events whose ids are new."""
    new = NewEvents(
        list(ids) if ids is not None else [uuid.uuid4() for _ in events],
        [event.user_id for event in events],
        [event.event_type for event in events],
        [event.occurred_at for event in events],
        [json.dumps(event.properties) for event in events],
    )
    async with db.transaction() as session:
        assert not await queries.insert_events(session, new)
