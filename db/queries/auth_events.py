"""The audit: what happened to accounts, when, and from where."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, delete, insert, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.models import Account, AuthEvent
from db.sessions import AnyRow, select_in_batches

# What the audit tells of; `login_failed` is `insert_failed_login`'s alone.
AuthEventType = Literal[
    "register",
    "login",
    "logout",
    "refresh_reused",
    "password_changed",
    "password_reset_created",
    "password_reset_mailed",
    "totp_enabled",
    "totp_disabled",
    "totp_recovery_used",
    "role_changed",
    "activated",
    "deactivated",
    "deleted",
    "key_created",
    "key_ended",
    "session_ended",
    "import_uploaded",
    "import_cancelled",
    "import_undone",
    "share_created",
    "share_ended",
    "site_created",
    "site_deleted",
]

NOBODY = 0  # the actor on the command line; no account has this id


EXPORT_COLUMNS = (
    AuthEvent.id,
    AuthEvent.at,
    AuthEvent.type,
    AuthEvent.account_id,
    AuthEvent.login,
    AuthEvent.actor,
    AuthEvent.address,
    AuthEvent.agent,
)
NEWEST_FIRST = (AuthEvent.at.desc(), AuthEvent.id.desc())


@dataclass(frozen=True, slots=True)
class AuthEventFilter:
    """The events of [since, until), with all values that are not None. Names are folded."""

    kind: str | None = None
    login_key: str | None = None
    actor_key: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self, after: tuple[datetime, int] | None) -> list[ColumnElement[bool]]:
        """Return the conditions of the events that come after the key `after`, newest first."""
        columns = {
            AuthEvent.type: self.kind,
            AuthEvent.login_key: self.login_key,
            AuthEvent.actor_key: self.actor_key,
        }
        conditions = [column == value for column, value in columns.items() if value is not None]
        conditions += [AuthEvent.at >= self.since] if self.since is not None else []
        conditions += [AuthEvent.at < self.until] if self.until is not None else []
        return conditions + ([tuple_(AuthEvent.at, AuthEvent.id) < tuple_(*after)] if after else [])


@dataclass(frozen=True, slots=True)
class Origin:
    """When and from where a request came, and who sent it.

    Without an `actor_id` the account itself does what is done to it, as by signing in; NOBODY is no account.
    `masked_address` is stored instead of the address, where there is one.
    """

    at: datetime
    address: str | None = None
    agent: str | None = None
    actor_id: int | None = None
    masked_address: str | None = None

    @property
    def stored_address(self) -> str | None:
        return self.address if self.masked_address is None else self.masked_address


async def insert_auth_event(
    session: AsyncSession, kind: AuthEventType, account_id: int, origin: Origin
) -> None:
    """Insert what happened to an account, under its present login."""
    actor = aliased(Account)
    account = select(
        literal(origin.at),
        literal(kind),
        Account.id,
        Account.login,
        Account.login_key,
        actor.id,
        actor.login,
        actor.login_key,
        literal(origin.stored_address, AuthEvent.address.type),
        literal(origin.agent, AuthEvent.agent.type),
    )
    actor_id = account_id if origin.actor_id is None else origin.actor_id
    account = account.outerjoin(actor, actor.id == actor_id).where(Account.id == account_id)
    columns = ["at", "type", "account_id", "login", "login_key"]
    columns += ["actor_id", "actor", "actor_key", "address", "agent"]
    await session.execute(insert(AuthEvent).from_select(columns, account))


async def insert_own_event(session: AsyncSession, kind: AuthEventType, origin: Origin | None) -> None:
    """Insert what an account did to something that is not an account; nothing where none did it."""
    if origin is not None and origin.actor_id is not None:
        await insert_auth_event(session, kind, origin.actor_id, origin)


async def insert_failed_login(
    session: AsyncSession, *, login: str, login_key: str, account_id: int | None, origin: Origin
) -> None:
    """Insert a failed sign-in under the name that was typed, whether or not an account has it."""
    values = {"type": "login_failed", "login": login, "login_key": login_key, "account_id": account_id}
    source = {"at": origin.at, "address": origin.stored_address, "agent": origin.agent}
    await session.execute(insert(AuthEvent).values(**values, **source))


async def select_auth_events(
    session: AsyncSession,
    event_filter: AuthEventFilter,
    *,
    after: tuple[datetime, int] | None,
    limit: int | None,
    offset: int,
) -> list[AuthEvent]:
    """Select events, newest first, that come after the key `after`; all of them without a limit."""
    query = select(AuthEvent).where(*event_filter.conditions(after))
    query = query.order_by(*NEWEST_FIRST).limit(limit).offset(offset)
    return list(await session.scalars(query))


async def select_all_auth_events(
    session: AsyncSession,
    event_filter: AuthEventFilter,
    *,
    after: tuple[datetime, int] | None,
    limit: int | None,
    offset: int,
) -> AsyncGenerator[Sequence[AnyRow]]:
    """Yield the same as rows of EXPORT_COLUMNS, in batches of one snapshot. Needs a dedicated connection."""
    query = select(*EXPORT_COLUMNS).where(*event_filter.conditions(after))
    query = query.order_by(*NEWEST_FIRST).limit(limit).offset(offset)
    async for rows in select_in_batches(session, query):
        yield rows


async def delete_oldest_events(session: AsyncSession, *, before: datetime, count: int) -> int:
    """Delete the first `count` events before a moment. Return how many there were."""
    oldest = (
        select(AuthEvent.id).where(AuthEvent.at < before).order_by(AuthEvent.at, AuthEvent.id).limit(count)
    )
    query = delete(AuthEvent).where(AuthEvent.id.in_(oldest)).returning(AuthEvent.id)
    return len(list(await session.scalars(query)))
