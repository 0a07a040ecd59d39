"""Pairs of an access token and the refresh token that gets the next pair, and how long they last."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.security.refresh_tokens import write_refresh_token
from service.security.tokens import Claims, TokenSettings, encode_token


@dataclass(frozen=True, slots=True)
class PairSeed:
    """The random parts of a pair."""

    token_id: uuid.UUID
    secret: bytes  # of the refresh token


@dataclass(frozen=True, slots=True)
class TokenPair:
    """The answer to a sign-in or a refresh, with the names of RFC 6749."""

    access_token: str
    expires_in: int  # seconds
    refresh_token: str
    refresh_expires_in: int


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """How long a session lasts, and a refresh token without being used."""

    session: timedelta = timedelta(days=90)
    refresh: timedelta = timedelta(days=14)
    # Within this time of its first use a refresh token gets the same pair: two tabs may have sent it at once.
    reuse: timedelta = timedelta(seconds=10)


TIMES = SessionTimes()


@dataclass(frozen=True, slots=True)
class PairTimes:
    """When a pair is made, and when each of its tokens expires: with the session at the latest."""

    created_at: datetime
    access_expires_at: datetime
    refresh_expires_at: datetime

    @classmethod
    def make(
        cls, tokens: TokenSettings, signed_in_at: datetime, now: datetime, times: SessionTimes = TIMES
    ) -> "PairTimes":
        end = signed_in_at + max(times.session, tokens.lifetime)
        return cls(now, min(now + tokens.lifetime, end), min(now + times.refresh, end))

    @property
    def expires_at(self) -> datetime:
        """When the pair opens nothing any more."""
        return max(self.access_expires_at, self.refresh_expires_at)


def write_pair(
    tokens: TokenSettings, times: PairTimes, seed: PairSeed, *, user_id: int, session_id: uuid.UUID
) -> TokenPair:
    """Return the pair of a seed. The same arguments give the same pair."""
    claims = Claims(
        user_id=user_id,
        session_id=session_id,
        token_id=seed.token_id,
        issued_at=times.created_at,
        expires_at=times.access_expires_at,
    )
    return TokenPair(
        access_token=encode_token(tokens, claims),
        expires_in=int((times.access_expires_at - times.created_at).total_seconds()),
        refresh_token=write_refresh_token(seed.secret),
        refresh_expires_in=int((times.refresh_expires_at - times.created_at).total_seconds()),
    )
