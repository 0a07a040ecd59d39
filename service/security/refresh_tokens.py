"""Refresh tokens: 32 random bytes in text, of which only the SHA-256 is stored.

The token that replaces another is stored too, but sealed with that other one. So whoever sends a token twice
gets the same successor twice, and the database alone opens nothing.
"""

import hmac

from service.security.random_keys import write_key

PREFIX = "trawl_refresh_"  # tells it from other text
SECRET_BYTES = 32
SEAL = b"the successor of this refresh token"


def write_refresh_token(secret: bytes) -> str:
    """Return the token of a secret."""
    return write_key(PREFIX, secret)


def seal_successor(token: str, successor: bytes) -> bytes:
    """Seal or unseal the secret of the token that replaces this one.

    The mask is used once, for this successor alone, so XOR hides it.
    """
    mask = hmac.digest(token.encode(), SEAL, "sha256")
    return bytes(a ^ b for a, b in zip(successor, mask, strict=True))
