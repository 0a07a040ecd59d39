"""Connections over TCP are given up when the machine at their other end vanishes."""

import socket
from operator import attrgetter
from urllib.parse import urlsplit

import pytest

from db.database import Database
from db.engine import SILENCE_OPTIONS
from tests.support.database_over_tcp import over_tcp


@pytest.mark.parametrize("kind", ["pool", "dedicated"])
async def test_a_connection_over_tcp_is_probed_when_it_is_silent(database_url: str, kind: str) -> None:
    if not urlsplit(database_url).query:
        pytest.skip("DATABASE_URL names a server that is no Unix socket's")
    async with over_tcp(database_url) as url:
        db = Database.connect(url, pool_size=1)
        if kind == "pool":
            async with db.raw() as raw:
                options = socket_options(raw)
        else:
            async with db.dedicated() as session:
                connection = await (await session.connection()).get_raw_connection()
                options = socket_options(connection.driver_connection)
        assert options == {socket.SO_KEEPALIVE: 1, **SILENCE_OPTIONS}
        await db.close()


def socket_options(raw: object) -> dict[int, int]:
    sock = attrgetter("_transport")(raw).get_extra_info("socket")
    values = {option: sock.getsockopt(socket.IPPROTO_TCP, option) for option in SILENCE_OPTIONS}
    return {socket.SO_KEEPALIVE: sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), **values}
