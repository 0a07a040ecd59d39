"""Access tokens: JWTs as RFC 8725 advises, one algorithm, every claim that we rely on required."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import jwt

from service.errors import Unauthorized

ISSUER = "trawl"
REQUIRED = ["exp", "iat", "sub", "jti", "iss"]
MAX_LENGTH = 2048  # characters; ours have about 300
MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class TokenSettings:
    secret: str = field(repr=False)
    algorithm: str = "HS256"
    lifetime: timedelta = timedelta(minutes=30)

    @property
    def key(self) -> bytes:
        """The secret, with the zeros that HMAC itself adds, so that PyJWT finds it long enough for HS512."""
        return self.secret.encode().ljust(64, b"\0")


@dataclass(frozen=True, slots=True)
class Claims:
    """Who a token says that it is. The session row of `session_id` says whether that still holds."""

    user_id: int
    session_id: uuid.UUID
    expires_at: datetime


def bad_token() -> Unauthorized:
    return Unauthorized("the token is not valid, or no longer", code="bad_token")


def encode_token(settings: TokenSettings, claims: Claims, *, now: datetime) -> str:
    payload = {
        "iss": ISSUER,
        "sub": str(claims.user_id),
        "jti": str(claims.session_id),
        "iat": int(now.timestamp()),
        "exp": int(claims.expires_at.timestamp()),
    }
    return jwt.encode(payload, settings.key, algorithm=settings.algorithm, headers={"typ": "at+jwt"})


DECODER = jwt.PyJWT(options={"enforce_minimum_key_length": True, "require": REQUIRED, "verify_aud": False})


def decode_token(settings: TokenSettings, token: str, *, now: datetime) -> Claims:
    """What a token of ours claims.

    :raises Unauthorized: forged, expired, of another algorithm, or not a token at all
    """
    if len(token) > MAX_LENGTH:
        raise bad_token()
    claims = _verified(settings, token)
    if claims.expires_at <= now:
        raise bad_token()
    return claims


@lru_cache(maxsize=4096)
def _verified(settings: TokenSettings, token: str) -> Claims:
    """Kept for good tokens: the same letters have the same signature, and only their end may come."""
    try:
        payload = DECODER.decode(
            token,
            settings.key,
            algorithms=[settings.algorithm],
            issuer=ISSUER,
        )
        user_id = int(payload["sub"])
        session_id = uuid.UUID(payload["jti"])
        expires_at = datetime.fromtimestamp(payload["exp"], UTC)
    except (jwt.PyJWTError, UnicodeError, ValueError, TypeError, AttributeError, OverflowError):
        raise bad_token() from None
    if not 0 < user_id <= MAX_ID:
        raise bad_token()
    return Claims(user_id, session_id, expires_at)
