"""Access tokens: JWTs as RFC 8725 advises. One algorithm is accepted, and all our claims are required."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import jwt

from db.models.base import MAX_BIGINT
from service.errors import Unauthorized

ISSUER = "trawl"
REQUIRED = ["exp", "iat", "sub", "jti", "iss"]
MAX_LENGTH = 2048  # characters; ours have about 300


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """How tokens are signed, and for how long they are valid."""

    secret: str = field(repr=False)
    algorithm: str = "HS256"
    lifetime: timedelta = timedelta(minutes=30)

    @property
    def key(self) -> bytes:
        """The secret with the zeros that HMAC itself adds, so that PyJWT accepts it for HS512."""
        return self.secret.encode().ljust(64, b"\0")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token claims. Whether that still holds, only the row of its session says."""

    user_id: int
    session_id: uuid.UUID
    expires_at: datetime


class BadToken(Unauthorized):
    """The token is not valid, or no longer."""

    def __init__(self) -> None:
        super().__init__("the token is not valid, or no longer", code="bad_token")


def encode_token(settings: TokenSettings, claims: Claims, *, now: datetime) -> str:
    """Sign the claims."""
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
    """Return the claims of a token after checking its signature and expiry.

    :raises BadToken: it is forged, expired, of another algorithm, or not a token at all
    """
    if len(token) > MAX_LENGTH:
        raise BadToken
    claims = _verify(settings, token)
    if claims.expires_at <= now:
        raise BadToken
    return claims


@lru_cache(maxsize=4096)
def _verify(settings: TokenSettings, token: str) -> Claims:
    """Return the claims of a correctly signed token, cached: of a good token, only the expiry can change."""
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
        raise BadToken from None
    if not 0 < user_id <= MAX_BIGINT:
        raise BadToken
    return Claims(user_id, session_id, expires_at)
