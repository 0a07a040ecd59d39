"""Password hashes: scrypt in PHC strings, computed in threads, a few at a time."""

import asyncio
import base64
import hashlib
import hmac
import os
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from service.errors import Invalid

SALT_LENGTH = 16  # bytes
KEY_LENGTH = 32  # bytes
BLOCK_SIZE = 8  # scrypt's r
PARALLELISM = 3  # scrypt's p


@dataclass(frozen=True, slots=True)
class Hasher:
    """Hashes passwords at the cost `log_n` (log2 of scrypt's N), as many at a time as there are `slots`.

    Each hash takes 32 MiB and a core.
    """

    log_n: int = 15
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(os.cpu_count() or 1))

    async def hash(self, password: str, *, salt: bytes) -> str:
        """Return the PHC string to store: `$scrypt$ln=15,r=8,p=3$salt$key`."""
        key = await self._derive(password, salt, self.log_n, BLOCK_SIZE, PARALLELISM)
        parameters = f"ln={self.log_n},r={BLOCK_SIZE},p={PARALLELISM}"
        return f"$scrypt${parameters}${encode_base64(salt)}${encode_base64(key)}"

    async def verify(self, password: str, phc: str | None) -> bool:
        """Whether a password fits a PHC string. Without one (no such account), False after the same time."""
        if phc is None:
            await self._derive(password, bytes(SALT_LENGTH), self.log_n, BLOCK_SIZE, PARALLELISM)
            return False
        log_n, block_size, parallelism, salt, expected = parse_phc(phc)
        key = await self._derive(password, salt, log_n, block_size, parallelism)
        return hmac.compare_digest(key, expected)

    def is_outdated(self, phc: str) -> bool:
        """Whether a PHC string was made with lower parameters than this hasher's."""
        return parse_phc(phc)[:3] < (self.log_n, BLOCK_SIZE, PARALLELISM)

    async def _derive(
        self, password: str, salt: bytes, log_n: int, block_size: int, parallelism: int
    ) -> bytes:
        # The same letters typed on another system may be other code points; NFKC makes them one password.
        secret = unicodedata.normalize("NFKC", password).encode()
        memory = 128 * block_size * (2**log_n + parallelism + 2) + 2**20
        async with self.slots:
            return await asyncio.to_thread(
                hashlib.scrypt,
                secret,
                salt=salt,
                n=2**log_n,
                r=block_size,
                p=parallelism,
                maxmem=memory,
                dklen=KEY_LENGTH,
            )


def encode_base64(raw: bytes) -> str:
    """Encode bytes as PHC strings hold them: without padding."""
    return base64.b64encode(raw).decode().rstrip("=")


def decode_base64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


def parse_phc(phc: str) -> tuple[int, int, int, bytes, bytes]:
    """Return log2(N), r, p, salt and key of a PHC string that `Hasher.hash` wrote."""
    _, _, parameters, salt, key = phc.split("$")
    log_n, block_size, parallelism = (int(pair.partition("=")[2]) for pair in parameters.split(","))
    return log_n, block_size, parallelism, decode_base64(salt), decode_base64(key)


@cache
def common_passwords() -> frozenset[str]:
    """Return the passwords that are guessed first, in lower case."""
    text = Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line)


def check_new_password(password: str, pointer: str = "/password") -> None:
    """Refuse a new password that is easy to guess. The schema of the request has checked its length.

    :raises Invalid: it is among the passwords that are guessed first
    """
    if unicodedata.normalize("NFKC", password).casefold() in common_passwords():
        fault = "is among the most common passwords"
        raise Invalid(f"{pointer[1:]}: {fault}", errors=[(pointer, fault)])
