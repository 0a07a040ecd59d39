"""What PostgreSQL's response to a sign-in says of it, and that a full one is left alone."""

import asyncio
import struct
from pathlib import Path

import asyncpg
import pytest

from embedded.postgres import Postgres, _is_complete
from embedded.supervisor import Supervisor


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


SIGNED_IN = message(b"R", struct.pack("!i", 0)) + message(b"S", b"TimeZone\0UTC\0")
READY = message(b"Z", b"I")
FULL = message(b"E", b"SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0")
STARTING = message(b"E", b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0")


@pytest.mark.parametrize(
    ("response", "is_ready"),
    [
        (SIGNED_IN + READY, True),
        (FULL, True),
        (SIGNED_IN + FULL, True),
        (STARTING, False),
        (SIGNED_IN + STARTING, False),
    ],
)
def test_any_whole_response_is_a_sign_of_life(response: bytes, *, is_ready: bool) -> None:
    assert _is_complete(response)
    assert Postgres.is_ready(response) == is_ready
    for end in range(len(response)):
        assert not _is_complete(response[:end])


@pytest.mark.parametrize(
    "response", [b"R", b"E\0\0\0\1x", b"E\xff\xff\xff\xffx", b"HTTP/1.1 400 Bad Request"]
)
def test_what_is_no_message_never_ends(response: bytes) -> None:
    assert not _is_complete(response)


@pytest.mark.slow
async def test_a_server_with_too_many_clients_is_not_restarted(short_dir: Path) -> None:
    postgres = Postgres(short_dir)
    supervisor = Supervisor(postgres)
    postgres.set_up()
    clients: list[asyncpg.Connection] = []
    try:
        while not supervisor.ready:
            supervisor.watch()
            await asyncio.sleep(0.005)
        process = supervisor._process
        with pytest.raises(asyncpg.TooManyConnectionsError):
            await fill(postgres, clients)
        response = await probe_until_complete(postgres)
        assert b"53300" in response
        assert postgres.is_ready(response)
        supervisor.watch()
        assert supervisor._process is process
    finally:
        for client in clients:
            client.terminate()
        supervisor.stop()


async def fill(postgres: Postgres, clients: list[asyncpg.Connection]) -> None:
    """Connect until PostgreSQL refuses."""
    while True:
        clients.append(await asyncpg.connect(postgres.url(postgres.sockets)))


async def probe_until_complete(postgres: Postgres) -> bytes:
    """Probe until PostgreSQL has responded."""
    probe = postgres.probe()
    async with asyncio.timeout(60):
        while not probe.poll():
            assert not probe.failed
            await asyncio.sleep(0.005)
    return probe.response
