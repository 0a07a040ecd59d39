"""The audit as admins read it: in pages, and whole."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

from db.database import Database
from db.models import AuthEvent
from db.queries.auth_events import AuthEventFilter, select_all_auth_events, select_auth_events
from db.sessions import AnyRow
from service.security.identifiers import fold


async def list_auth_events(
    db: Database, *, after: tuple[datetime, int] | None, limit: int, offset: int, **filters: Any
) -> list[AuthEvent]:
    """List the audit, newest first; one more than `limit` if more follow.

    :param filters: arguments of make_filter
    """
    event_filter = make_filter(**filters)
    async with db.read() as session:
        return await select_auth_events(session, event_filter, after=after, limit=limit + 1, offset=offset)


async def export_auth_events(
    db: Database, *, after: tuple[datetime, int] | None, limit: int | None, offset: int, **filters: Any
) -> AsyncGenerator[list[AnyRow]]:
    """Yield the same events of one snapshot in batches; without a limit all of them."""
    event_filter = make_filter(**filters)
    async with db.dedicated() as session:
        async for rows in select_all_auth_events(
            session, event_filter, after=after, limit=limit, offset=offset
        ):
            yield list(rows)


def make_filter(
    *,
    kind: str | None = None,
    login: str | None = None,
    actor: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> AuthEventFilter:
    """Make a filter of the events of [since, until). Logins are the same in any letter case."""
    login_key = fold(login) if login is not None else None
    actor_key = fold(actor) if actor is not None else None
    return AuthEventFilter(kind, login_key, actor_key, since, until)
