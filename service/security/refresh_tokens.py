"""Refresh tokens: 32 random bytes in text, of which only the SHA-256 is stored.

The token that replaces another is stored too, but sealed with that other one. So whoever sends a token twice
gets the same successor twice, and the database alone opens nothing.
"""

import base64
import hashlib
import hmac

PREFIX = "trawl_refresh_"  # tells it from other text
SECRET_BYTES = 32
SEAL = b"the successor of this refresh token"


def write_refresh_token(secret: bytes) -> str:
    """Return the token of a secret."""
    return PREFIX + base64.urlsafe_b64encode(secret).decode().rstrip("=")


def digest_of(token: str) -> bytes:
    """Return what is stored of a token: it has 256 random bits, so no slow hash is needed."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


def seal_successor(token: str, successor: bytes) -> bytes:
    """Seal or unseal the secret of the token that replaces this one.

    The mask is used once, for this successor alone, so XOR hides it.
    """
    mask = hmac.digest(token.encode(), SEAL, "sha256")
    return bytes(a ^ b for a, b in zip(successor, mask, strict=True))
