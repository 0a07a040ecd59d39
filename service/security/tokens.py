"""Access tokens: JWTs as RFC 8725 and RFC 9068 advise. One algorithm is accepted, all claims are required."""

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt

from db.models.base import MAX_BIGINT
from service.errors import Unauthorized

ISSUER = AUDIENCE = "trawl"
TYPE = "at+jwt"
REQUIRED = ["exp", "iat", "sub", "jti", "sid", "iss", "aud"]
HEADERS = frozenset(
    {"alg", "typ", "kid"}
)  # what a token of ours has; another (`crit`, `jku`) is not understood
LEEWAY = timedelta(seconds=5)  # of the clocks that say from when a token is valid; none for its end
MAX_LENGTH = 2048  # characters; ours have about 400

DECODER = jwt.PyJWT(
    options={
        "enforce_minimum_key_length": True,
        "require": REQUIRED,
        "strict_aud": True,
        # These depend on the time, which is an argument: `decode_token` compares them.
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
    }
)


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """How tokens are signed, and for how long they are valid. Those of `previous_secret` are accepted too."""

    secret: str = field(repr=False)
    algorithm: str = "HS256"
    lifetime: timedelta = timedelta(minutes=30)
    previous_secret: str | None = field(default=None, repr=False)

    @property
    def key(self) -> bytes:
        return hmac_key(self.secret)

    def keys_of(self, key_id: str | None) -> list[bytes]:
        """Return the keys that may have signed a token: the one with this id, or all if it names none."""
        keys = [hmac_key(secret) for secret in (self.secret, self.previous_secret) if secret]
        return [key for key in keys if key_id in (None, key_id_of(key))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token claims. Whether that still holds, only the row of its session says."""

    user_id: int
    session_id: uuid.UUID
    token_id: uuid.UUID
    issued_at: datetime
    expires_at: datetime


class BadToken(Unauthorized):
    """The token is not valid, or no longer."""

    def __init__(self) -> None:
        super().__init__("the token is not valid, or no longer", code="bad_token")


def hmac_key(secret: str) -> bytes:
    """Return the secret with the zeros that HMAC itself adds, so that PyJWT accepts it for HS512."""
    return secret.encode().ljust(64, b"\0")


def key_id_of(key: bytes) -> str:
    """Return the name of a key, which tells nothing of it."""
    return hashlib.sha256(b"trawl key id" + key).hexdigest()[:16]


def encode_token(settings: TokenSettings, claims: Claims) -> str:
    """Sign the claims. The same claims give the same token."""
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(claims.user_id),
        "sid": str(claims.session_id),
        "jti": str(claims.token_id),
        "iat": int(claims.issued_at.timestamp()),
        "exp": int(claims.expires_at.timestamp()),
    }
    headers = {"typ": TYPE, "kid": key_id_of(settings.key)}
    return jwt.encode(payload, settings.key, algorithm=settings.algorithm, headers=headers)


def decode_token(settings: TokenSettings, token: str, *, now: datetime) -> Claims:
    """Return the claims of a token after checking its signature and the times between which it is valid.

    :raises BadToken: it is forged, expired, not valid yet, of another kind, or not a token at all
    """
    if len(token) > MAX_LENGTH:
        raise BadToken
    claims, not_before = _verify(settings, token)
    if claims.expires_at <= now or not_before > now + LEEWAY:
        raise BadToken
    return claims


@lru_cache(maxsize=4096)
def _verify(settings: TokenSettings, token: str) -> tuple[Claims, datetime]:
    """Return the claims of a correctly signed token, and from when it is valid.

    Cached: of a good token, only the time can change what it is worth.
    """
    try:
        header = jwt.get_unverified_header(token)
        if header.get("typ") != TYPE or not header.keys() <= HEADERS:
            raise BadToken
        payload = _payload(settings, token, header.get("kid"))
        claims = Claims(
            user_id=_parse_user_id(payload["sub"]),
            session_id=uuid.UUID(payload["sid"]),
            token_id=uuid.UUID(payload["jti"]),
            issued_at=_parse_time(payload["iat"]),
            expires_at=_parse_time(payload["exp"]),
        )
        return claims, max(claims.issued_at, _parse_time(payload.get("nbf", payload["iat"])))
    except (jwt.PyJWTError, UnicodeError, ValueError, TypeError, AttributeError, OverflowError):
        raise BadToken from None


def _payload(settings: TokenSettings, token: str, key_id: str | None) -> dict[str, Any]:
    """Return the claims as JSON has them, after checking the signature.

    :raises PyJWTError: no key of the settings has signed them, or one is missing
    """
    for key in settings.keys_of(key_id):
        try:
            payload: dict[str, Any] = DECODER.decode(
                token, key, algorithms=[settings.algorithm], issuer=ISSUER, audience=AUDIENCE
            )
        except jwt.InvalidSignatureError:
            continue
        return payload
    raise BadToken


def _parse_user_id(subject: str) -> int:
    if not (subject.isascii() and subject.isdecimal() and 0 < int(subject) <= MAX_BIGINT):
        raise BadToken
    return int(subject)


def _parse_time(seconds: object) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise BadToken
    return datetime.fromtimestamp(seconds, UTC)
