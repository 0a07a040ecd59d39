"""Credentials of random bytes: the text that its owner gets once, and the digest that is stored of it."""

import base64
import hashlib
from datetime import datetime

from service.errors import Invalid


def write_key(prefix: str, secret: bytes) -> str:
    """Return the text of a secret. The prefix tells it from other text."""
    return prefix + base64.urlsafe_b64encode(secret).decode().rstrip("=")


def digest_of(key: str) -> bytes:
    """Return what is stored of a key: it has 256 random bits, so no slow hash is needed."""
    return hashlib.sha256(key.encode(errors="replace")).digest()


def refuse_past(expires_at: datetime | None, now: datetime) -> None:
    """Refuse to create what has expired already.

    :raises Invalid: `expires_at` has passed
    """
    if expires_at is not None and expires_at <= now:
        raise Invalid("expires_at: has passed", errors=[("/expires_at", "has passed")])
