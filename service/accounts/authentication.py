"""Who a caller is: the account behind an access token, an API key, or the key of a share."""

import json
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any

from db.queries import auth_events
from db.queries.credentials import (
    CallerRow,
    select_key_caller,
    select_session_caller,
    select_share_caller,
    update_key_used,
    update_session_used,
    update_share_used,
)
from service.deps import Deps
from service.security import credential_cache
from service.security.credential_cache import api_key_entry, session_entry
from service.security.random_keys import digest_of
from service.security.rate_limits import Allowance, count_request
from service.security.tokens import BadToken, decode_token

SelectCaller = Callable[..., Coroutine[Any, Any, CallerRow | None]]

Origin = auth_events.Origin  # when and from where a request came, as transport passes it to use cases

LAST_USED_PRECISION = timedelta(minutes=1)  # `last_used_at` is written again once it is older
KEY_PREFIX = "trawl_"  # tells an API key from a token, and a leaked one from other text
SHARE_PREFIX = f"{KEY_PREFIX}share_"


@dataclass(frozen=True, slots=True)
class SharedView:
    """A view of the dashboard, with the parameters that its address would have."""

    view: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Caller:
    """The account behind a request. `scopes` is None for a token, which may do all that its account may.

    A share's key has no scope: it may do nothing but read what its view shows.
    """

    user_id: int
    role: str
    credential_id: uuid.UUID  # of the session, the API key, or the share
    expires_at: float  # Unix time; 0 for never
    signed_in_at: float  # Unix time; of a key, when it was made
    scopes: frozenset[str] | None = None
    share: SharedView | None = None

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


async def authenticate(
    deps: Deps, token: str, *, counter: str, limit: int, now: datetime
) -> tuple[Caller, Allowance | None]:
    """Return the caller behind a token or an API key, and its allowance after this request was counted.

    `counter` is how the name of a caller's counter begins; the user's id ends it. `limit` is its requests a
    minute; 0 counts nothing, and the allowance is None.

    :raises Unauthorized: the token stands for no live session or key of an active account
    """
    credential = _resolve(deps, token, now)
    entry = credential.entry
    lookup = await credential_cache.get(deps.cache, entry, counter if limit else "")
    if lookup.value:
        caller = _decode(lookup.value)
        if credential.user_id not in (None, caller.user_id):
            raise BadToken
        _refuse_expired(caller, now)
        if lookup.as_of:
            refresh = _refresh(deps, credential, lookup.as_of, now)
            deps.background.spawn(refresh, name="refresh of a cached credential")
        if not limit:
            return caller, None
        return caller, Allowance.from_counter(limit, lookup.count, lookup.milliseconds_left)
    caller = await _read_caller(deps, credential.select, now)
    if lookup.as_of:
        await credential_cache.put(deps.cache, entry, _encode(caller), lookup.as_of)
    return caller, await count_request(deps.cache, f"{counter}{caller.user_id}", limit) if limit else None


@dataclass(frozen=True, slots=True)
class Credential:
    """A token or a key: its cache entry, the query that reads its row, and whose it claims to be."""

    entry: str
    select: SelectCaller
    user_id: int | None  # None for a key, which claims nothing


def _resolve(deps: Deps, token: str, now: datetime) -> Credential:
    """Return the credential that a client has sent.

    :raises Unauthorized: it is not a valid token
    """
    if token.startswith(KEY_PREFIX):
        digest = digest_of(token)
        select = select_share_caller if is_share_key(token) else select_key_caller
        return Credential(api_key_entry(digest), partial(select, key_sha256=digest), None)
    claims = decode_token(deps.tokens, token, now=now)
    select_owner = partial(select_session_caller, session_id=claims.session_id, account_id=claims.user_id)
    return Credential(session_entry(claims.session_id), select_owner, claims.user_id)


def is_share_key(token: str) -> bool:
    """Return whether a token is the key of a share, if it is anything."""
    return token.startswith(SHARE_PREFIX)


async def _read_caller(deps: Deps, select: SelectCaller, now: datetime) -> Caller:
    """Read the caller from the database, and note in the background that its credential was used."""
    async with deps.db.read() as session:
        row = await select(session)
    if row is None:
        raise BadToken
    caller = Caller(
        user_id=row.account_id,
        role=row.role,
        credential_id=row.id,
        expires_at=row.expires_at.timestamp() if row.expires_at else 0.0,
        signed_in_at=row.created_at.timestamp(),
        scopes=None if row.scopes is None else frozenset(row.scopes),
        share=None if row.share is None else SharedView(*row.share),
    )
    _refuse_expired(caller, now)
    if row.last_used_at is None or now - row.last_used_at > LAST_USED_PRECISION:
        deps.background.spawn(_update_last_used(deps, caller, now), name="last use of a credential")
    return caller


async def _update_last_used(deps: Deps, caller: Caller, now: datetime) -> None:
    async with deps.db.transaction() as session:
        if caller.share is not None:
            await update_share_used(session, caller.credential_id, now)
        elif caller.scopes is None:
            await update_session_used(session, caller.credential_id, now)
        else:
            await update_key_used(session, caller.credential_id, now)


def _refuse_expired(caller: Caller, now: datetime) -> None:
    if caller.expires_at and caller.expires_at <= now.timestamp():
        raise BadToken


def _encode(caller: Caller) -> str:
    """Write a caller as its cache entry. The user's id comes first: the script of the cache reads it."""
    scopes = "-" if caller.scopes is None else ",".join(sorted(caller.scopes))
    times = f"{caller.expires_at!r} {caller.signed_in_at!r}"
    entry = f"{caller.user_id} {caller.role} {caller.credential_id} {times} {scopes}"
    if caller.share is None:
        return entry
    return f"{entry} {json.dumps([caller.share.view, dict(caller.share.parameters)])}"


@lru_cache(maxsize=4096)
def _decode(value: str) -> Caller:
    """Read a caller from its cache entry. Cached, as the same few callers come again and again."""
    user_id, role, credential_id, expires_at, signed_in_at, scopes, *share = value.split(" ", 6)
    return Caller(
        user_id=int(user_id),
        role=role,
        credential_id=uuid.UUID(credential_id),
        expires_at=float(expires_at),
        signed_in_at=float(signed_in_at),
        scopes=None if scopes == "-" else frozenset(filter(None, scopes.split(","))),
        share=SharedView(*json.loads(share[0])) if share else None,
    )


async def _refresh(deps: Deps, credential: Credential, as_of: int, now: datetime) -> None:
    caller = await _read_caller(deps, credential.select, now)
    await credential_cache.extend(deps.cache, credential.entry, _encode(caller), as_of)
