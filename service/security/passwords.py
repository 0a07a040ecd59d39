"""Password hashes: scrypt in PHC strings, computed in threads, a few at a time."""

import asyncio
import base64
import gzip
import hashlib
import hmac
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from db.threads import lower_priority
from service.bounds import Bounds, HashPermits
from service.errors import Invalid
from service.security.identifiers import LOCAL, fold

SALT_LENGTH = 16  # bytes
KEY_LENGTH = 32  # bytes
BLOCK_SIZE = 8  # scrypt's r
PARALLELISM = 3  # scrypt's p


@dataclass(frozen=True, slots=True)
class Hasher:
    """Hashes passwords at the cost `log_n` (log2 of scrypt's N), each with a permit of its `client`.

    A client is the address that a request came from. The hasher has its own threads, since those of the event
    loop may all be busy with bodies. Its sign-up threads have a low priority, so they delay no other work.
    """

    log_n: int = 15
    permits: HashPermits = field(default_factory=lambda: HashPermits.make(Bounds()))
    sign_in_threads: ThreadPoolExecutor = field(init=False)
    sign_up_threads: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        sign_ins = ThreadPoolExecutor(self.permits.sign_ins.total, "sign-ins")
        sign_ups = ThreadPoolExecutor(self.permits.sign_ups.total, "sign-ups", initializer=lower_priority)
        object.__setattr__(self, "sign_in_threads", sign_ins)
        object.__setattr__(self, "sign_up_threads", sign_ups)

    async def hash(self, password: str, *, salt: bytes, client: str = LOCAL, is_sign_up: bool = False) -> str:
        """Return the PHC string to store: `$scrypt$ln=15,r=8,p=3$salt$key`.

        :raises TooMany: no permit was free in time
        """
        key = await self._derive(client, password, Cost(self.log_n), salt, is_sign_up=is_sign_up)
        parameters = f"ln={self.log_n},r={BLOCK_SIZE},p={PARALLELISM}"
        return f"$scrypt${parameters}${encode_base64(salt)}${encode_base64(key)}"

    async def verify(self, password: str, phc: str | None, *, client: str = LOCAL) -> bool:
        """Return whether a password fits a PHC string. Without one (no such account): False, as slowly.

        :raises TooMany: no permit was free in time
        """
        if phc is None:
            await self._derive(client, password, Cost(self.log_n), bytes(SALT_LENGTH))
            return False
        log_n, block_size, parallelism, salt, expected = parse_phc(phc)
        cost = Cost(log_n, block_size, parallelism)
        return hmac.compare_digest(await self._derive(client, password, cost, salt), expected)

    def is_outdated(self, phc: str) -> bool:
        """Return whether a PHC string was made with lower parameters than this hasher's."""
        return parse_phc(phc)[:3] < (self.log_n, BLOCK_SIZE, PARALLELISM)

    async def _derive(
        self, client: str, password: str, cost: "Cost", salt: bytes, *, is_sign_up: bool = False
    ) -> bytes:
        permits = self.permits.sign_ups if is_sign_up else self.permits.sign_ins
        threads = self.sign_up_threads if is_sign_up else self.sign_in_threads
        async with permits.acquire(client):
            work = partial(derive_key, password, cost, salt)
            return await asyncio.get_running_loop().run_in_executor(threads, work)


@dataclass(frozen=True, slots=True)
class Cost:
    """The parameters of scrypt."""

    log_n: int
    block_size: int = BLOCK_SIZE
    parallelism: int = PARALLELISM


def derive_key(password: str, cost: Cost, salt: bytes) -> bytes:
    """Compute scrypt, which takes 32 MiB and a core."""
    # The same letters typed on another system may be other code points; NFKC makes them one password.
    secret = unicodedata.normalize("NFKC", password).encode()
    memory = 128 * cost.block_size * (2**cost.log_n + cost.parallelism + 2) + 2**20
    return hashlib.scrypt(
        secret,
        salt=salt,
        n=2**cost.log_n,
        r=cost.block_size,
        p=cost.parallelism,
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
def common_passwords() -> str:
    """Return the passwords that are guessed first, folded, each between two line ends.

    One text of 130 KB is searched in 0.1 ms; a set of its lines would take each worker ten times the memory.
    """
    gzipped = Path(__file__).with_name("common_passwords.txt.gz").read_bytes()
    return "\n" + gzip.decompress(gzipped).decode()


def is_common(password: str) -> bool:
    """Return whether a folded password is among those that are guessed first."""
    return "\n" not in password and f"\n{password}\n" in common_passwords()


def check_new_password(password: str, *, login: str, pointer: str = "/password") -> None:
    """Refuse a new password that is easy to guess. The schema of the request has checked its length.

    :raises Invalid: it is the login, or among the passwords that are guessed first
    """
    key = fold(password)
    if key == fold(login):
        raise _weak(pointer, "is the login")
    if is_common(key):
        raise _weak(pointer, "is among the most common passwords")


def _weak(pointer: str, fault: str) -> Invalid:
    return Invalid(f"{pointer[1:]}: {fault}", errors=[(pointer, fault)])
