"""Encrypts what is stored and must be read again: AES-256-GCM by a key that HKDF derives from SECRET.

What SECRET_PREVIOUS has encrypted is read too. A context, such as whose it is, is authenticated with the
text: a row that is copied to another account can't be read there.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.security.tokens import TokenSettings

KEY_BYTES = 32
KEY_ID_BYTES = 8
NONCE_BYTES = 12
PURPOSE = b"trawl sealing, AES-256-GCM"


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A key, and its name, which tells nothing of it."""

    id: str
    key: bytes = field(repr=False)

    @classmethod
    def derive(cls, secret: str) -> "SealingKey":
        material = HKDF(SHA256(), KEY_ID_BYTES + KEY_BYTES, salt=None, info=PURPOSE).derive(secret.encode())
        return cls(material[:KEY_ID_BYTES].hex(), material[KEY_ID_BYTES:])


@dataclass(frozen=True, slots=True)
class Sealer:
    """Encrypts by its first key, and decrypts by any."""

    keys: tuple[SealingKey, ...]

    @property
    def key_id(self) -> str:
        """The name of the key that encrypts, to be stored beside what it has encrypted."""
        return self.keys[0].id

    def seal(self, plaintext: bytes, *, context: bytes, nonce: bytes) -> bytes:
        """Encrypt. `nonce` is 12 random bytes, never the same twice."""
        return nonce + AESGCM(self.keys[0].key).encrypt(nonce, plaintext, context)

    def unseal(self, sealed: bytes, *, key_id: str, context: bytes) -> bytes | None:
        """Decrypt; None if no key of this name is here, or what was stored has been changed."""
        for key in self.keys:
            if key.id == key_id:
                try:
                    return AESGCM(key.key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
                except (InvalidTag, ValueError):  # ValueError: it is too short to be anything
                    return None
        return None


@lru_cache(maxsize=16)
def sealer_of(settings: TokenSettings) -> Sealer:
    """Return the sealer of SECRET and SECRET_PREVIOUS."""
    secrets = (settings.secret, settings.previous_secret)
    return Sealer(tuple(SealingKey.derive(secret) for secret in secrets if secret))
