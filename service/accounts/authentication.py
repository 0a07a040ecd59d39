"""Who asks: what a token or an API key stands for."""

import hashlib
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any

from db.queries import auth_events
from db.queries.credentials import (
    CallerRow,
    select_key_caller,
    select_session_caller,
    update_key_used,
    update_session_used,
)
from service.deps import Deps
from service.security.credential_cache import keep, look_up, renew
from service.security.rate_limits import Allowance, allowance, count_request
from service.security.tokens import bad_token, decode_token

SelectCaller = Callable[..., Coroutine[Any, Any, CallerRow | None]]

Origin = auth_events.Origin  # when and from where somebody asks, as transport tells use cases

TOUCH_AFTER = timedelta(minutes=1)  # how old `last_used_at` grows before it is written again
KEY_PREFIX = "trawl_"  # tells an API key from a token, and a leaked one from other text


@dataclass(frozen=True, slots=True)
class Caller:
    """The account behind a request. `scopes` is None for a token, which may do all that its account may."""

    user_id: int
    role: str
    credential_id: uuid.UUID  # of the session, or of the API key
    expires_at: float  # Unix time; 0 for never
    scopes: frozenset[str] | None = None

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


def session_copy(session_id: uuid.UUID) -> str:
    """Where Valkey keeps the copy of a session."""
    return f"caller:{session_id}"


def key_copy(key_sha256: bytes) -> str:
    """Where Valkey keeps the copy of an API key."""
    return f"caller:{key_sha256.hex()}"


async def authenticate(
    deps: Deps, token: str, *, counter: str, limit: int, now: datetime
) -> tuple[Caller, Allowance | None]:
    """The caller that a token or an API key stands for, its request counted.

    `counter` begins the name of the caller's counter; `limit` is its requests a minute, 0 counts nothing.

    :raises Unauthorized: it stands for nobody, or no longer
    """
    name, select = _credential(deps, token, now)
    found = await look_up(deps.cache, name, counter if limit else "")
    if found.copy:
        caller = _decode(found.copy)
        _refuse_expired(caller, now)
        if found.asked_at:
            renewal = _renew(deps, name, select, found.asked_at, now)
            deps.background.spawn(renewal, name="renew copy of caller")
        return caller, allowance(limit, found.count, found.left) if limit else None
    caller = await _select_caller(deps, select, now)
    if found.asked_at:
        await keep(deps.cache, name, _encode(caller), found.asked_at)
    return caller, await count_request(deps.cache, f"{counter}{caller.user_id}", limit) if limit else None


def _credential(deps: Deps, token: str, now: datetime) -> tuple[str, SelectCaller]:
    """Where Valkey keeps the copy of what a token stands for, and the query that reads the truth."""
    if token.startswith(KEY_PREFIX):
        digest = hashlib.sha256(token.encode()).digest()
        return key_copy(digest), partial(select_key_caller, key_sha256=digest)
    claims = decode_token(deps.tokens, token, now=now)
    select = partial(select_session_caller, session_id=claims.session_id, account_id=claims.user_id)
    return session_copy(claims.session_id), select


async def _select_caller(deps: Deps, select: SelectCaller, now: datetime) -> Caller:
    async with deps.db.read() as session:
        row = await select(session)
    if row is None:
        raise bad_token()
    caller = Caller(
        user_id=row.account_id,
        role=row.role,
        credential_id=row.id,
        expires_at=row.expires_at.timestamp() if row.expires_at else 0.0,
        scopes=None if row.scopes is None else frozenset(row.scopes),
    )
    _refuse_expired(caller, now)
    if row.last_used_at is None or now - row.last_used_at > TOUCH_AFTER:
        deps.background.spawn(_touch(deps, caller, now), name="touch credential")
    return caller


async def _touch(deps: Deps, caller: Caller, now: datetime) -> None:
    async with deps.db.transaction() as session:
        if caller.scopes is None:
            await update_session_used(session, caller.credential_id, now)
        else:
            await update_key_used(session, caller.credential_id, now)


def _refuse_expired(caller: Caller, now: datetime) -> None:
    if caller.expires_at and caller.expires_at <= now.timestamp():
        raise bad_token()


def _encode(caller: Caller) -> str:
    """A caller as Valkey keeps it. The user comes first: the look-up reads it."""
    scopes = "-" if caller.scopes is None else ",".join(sorted(caller.scopes))
    return f"{caller.user_id} {caller.role} {caller.credential_id} {caller.expires_at!r} {scopes}"


@lru_cache(maxsize=4096)
def _decode(copy: str) -> Caller:
    """Kept, as the same few callers come again and again with the same copy."""
    user_id, role, credential_id, expires_at, scopes = copy.split(" ")
    return Caller(
        user_id=int(user_id),
        role=role,
        credential_id=uuid.UUID(credential_id),
        expires_at=float(expires_at),
        scopes=None if scopes == "-" else frozenset(filter(None, scopes.split(","))),
    )


async def _renew(deps: Deps, name: str, select: SelectCaller, asked_at: int, now: datetime) -> None:
    caller = await _select_caller(deps, select, now)
    await renew(deps.cache, name, _encode(caller), asked_at)
