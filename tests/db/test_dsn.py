"""URLs of databases as hosting companies give them out."""

import asyncio
import re
import socket
import struct
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.database import Database
from db.dsn import CONNECT_SECONDS, WrongParameter, check_dsn, describe_address, split_dsn
from db.unusable import describe_unusable
from tests.support.database_over_tcp import CERTIFICATE, over_tcp

OTHER_AUTHORITY = Path(__file__).parents[1] / "support" / "other_authority.pem"


async def ask(url: str, query: str = "SELECT 'answer'") -> str:
    db = Database.connect(url, pool_size=1)
    try:
        async with db.read() as session:
            answer: str = (await session.execute(text(query))).scalar_one()
        async with db.dedicated() as session:
            assert (await session.execute(text(query))).scalar_one() == answer
        return answer
    finally:
        await db.close()


@pytest.fixture
def socket_url(database_url: str) -> str:
    if not urlsplit(database_url).query:
        pytest.skip("DATABASE_URL names a server that is not a Unix socket's")
    return database_url


@pytest.mark.parametrize(
    "parameters",
    [
        "sslmode=require",
        "sslmode=require&channel_binding=require",
        f"sslmode=verify-ca&sslrootcert={CERTIFICATE}",
        "ssl_min_protocol_version=TLSv1.2&sslmode=require&connect_timeout=30&keepalives=1&keepalives_idle=30",
        "sslmode=require&gssencmode=disable&client_encoding=utf8&fallback_application_name=x",
    ],
)
async def test_parameters_of_libpq_are_taken(socket_url: str, parameters: str) -> None:
    async with over_tcp(socket_url, tls=True) as url:
        assert await ask(f"{url}?{parameters}") == "answer"


async def test_a_certificate_of_another_authority_is_refused(socket_url: str) -> None:
    async with over_tcp(socket_url, tls=True) as url:
        with pytest.raises(OSError, match="certificate"):
            await ask(f"{url}?sslmode=verify-ca&sslrootcert={OTHER_AUTHORITY}")


async def test_the_authorities_of_the_system_are_trusted(
    socket_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    async with over_tcp(socket_url, tls=True) as url:
        named = f"{url.replace('127.0.0.1', 'localhost')}?sslrootcert=system"
        check_dsn(named)
        assert await ask(named) == "answer"


async def test_a_certificate_that_the_system_does_not_trust_is_refused(
    socket_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(OTHER_AUTHORITY))
    async with over_tcp(socket_url, tls=True) as url:
        with pytest.raises(OSError, match="certificate"):
            await ask(f"{url.replace('127.0.0.1', 'localhost')}?sslmode=verify-full&sslrootcert=system")


async def test_what_is_no_parameter_of_a_connection_is_one_of_the_session(socket_url: str) -> None:
    async with over_tcp(socket_url) as url:
        named = f"{url}?application_name=shop&options=-c%20work_mem%3D7MB"
        assert await ask(named, "SHOW application_name") == "shop"
        assert await ask(named, "SHOW work_mem") == "7MB"
        assert await ask(named, "SHOW timezone") == "UTC"


async def test_the_first_of_several_hosts_that_answers_is_taken(socket_url: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with over_tcp(socket_url) as url:
            dead = f"127.0.0.1:{nobody.getsockname()[1]}"
            several = url.replace("@127.0.0.1", f"@{dead},127.0.0.1")
            assert await ask(f"{several}?target_session_attrs=read-write") == "answer"


async def test_a_service_is_read_from_its_file(
    socket_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = tmp_path / "services.conf"
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    async with over_tcp(socket_url) as url:
        parts = urlsplit(url)
        address = f"host={parts.hostname}\nport={parts.port}\nuser={parts.username}\n"
        services.write_text(f"[shop]\n{address}dbname={parts.path.removeprefix('/')}\n[other]\n")
        for named in ("postgresql:///?service=shop", "postgresql://?service=shop"):
            check_dsn(named)
            assert await ask(named, "SELECT current_database()::text") == parts.path.removeprefix("/")
    with pytest.raises(WrongParameter, match=r"services.conf \(shop, other\), not none"):
        check_dsn("postgresql://?service=none")
    services.write_text("shop")
    with pytest.raises(WrongParameter, match="which is not a file of services"):
        check_dsn("postgresql://?service=shop")


def test_a_service_is_refused_where_there_is_no_file_of_services(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSERVICEFILE", "/no/services")
    with pytest.raises(WrongParameter, match="the file that PGSERVICEFILE names, not shop; /no/services: No"):
        check_dsn("postgresql://?service=shop")


async def test_the_password_of_a_passfile_is_sent(tmp_path: Path) -> None:
    """Something that plays PostgreSQL asks for the password as it is, and keeps what it gets."""
    sent = asyncio.Queue[bytes]()

    async def ask_for_password(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(int.from_bytes(await reader.readexactly(4)) - 4)
        writer.write(b"R" + struct.pack("!ii", 8, 3))
        _, size = struct.unpack("!ci", await reader.readexactly(5))
        sent.put_nowait(await reader.readexactly(size - 4))
        writer.close()

    passfile = tmp_path / "pass"
    passfile.write_text("127.0.0.1:*:shop:anna:from a file\n")
    passfile.chmod(0o600)
    async with await asyncio.start_server(ask_for_password, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(DBAPIError):
            await ask(f"postgresql://anna@127.0.0.1:{port}/shop?sslmode=disable&passfile={passfile}")
    assert sent.get_nowait() == b"from a file\0"


@pytest.mark.parametrize(
    "parameters",
    [
        "sslmode=banana",
        "sslnegotiation=maybe",
        "gssencmode=require",
        "load_balance_hosts=random",
        "requirepeer=postgres",
        "ssl_min_protocol_version=TLSv9",
        "target_session_attrs=wrong",
        "pooler=some",
        "connect_timeout=soon",
        "connect_timeout=-1",
        "sslrootcert=system&sslmode=require",
        *(f"{name}=/no/file" for name in ("sslrootcert", "sslcrl", "sslcert", "sslkey", "passfile")),
        *(f"{name}={__file__}" for name in ("sslrootcert", "sslcrl")),
        f"sslcert={CERTIFICATE}&sslkey={__file__}",
        f"sslcert={__file__}",
        "service=shop",
    ],
)
def test_a_parameter_that_can_not_be_honoured_is_named_with_its_value(
    parameters: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSERVICEFILE", "/no/services")
    name, value = parameters.rpartition("&")[2].split("=")
    with pytest.raises(WrongParameter, match=r"^as ") as refusal:
        check_dsn(f"postgresql://a:s3cret@b/c?{parameters}")
    message = str(refusal.value)
    assert name in message
    assert (value if name != "service" else "/no/services") in message
    assert "s3cret" not in message


@pytest.mark.parametrize(
    "url",
    [
        "mysql://a@b/c",
        "postgresql://a@b/c?sslmode",
    ],
)
def test_what_is_no_url_of_a_database_is_refused(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the setting's own message is what users see
        check_dsn(url)


@pytest.mark.parametrize(
    "password", ["s3@cret", "s3/cret", "s3#cret", "s3?cret", "1?a=cret", "s3[cret", "s3@c/r?e#t"]
)
def test_a_password_that_is_not_quoted_is_reported_and_not_shown(password: str) -> None:
    with pytest.raises(WrongParameter, match="%40 %3A %2F %23 %3F") as refusal:
        check_dsn(f"postgresql://anna:{password}@127.0.0.1:1/shop")
    assert not re.search("s3|cret|127", str(refusal.value))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://a@b:0/c", "as port a number from 1 to 65535, not 0"),
        ("postgresql://a@b:1,c:70000/d", "as port a number from 1 to 65535, not 70000"),
        ("postgresql://a:s3cret@b:abc/c", "as port a number from 1 to 65535, not abc"),
        ("postgresql://a@/c?host=b&port=x", "as port a number from 1 to 65535, not x"),
        ("postgresql://anna:s3cret", "as port a number from 1 to 65535"),
        ("postgresql://[::1/x", "as host an IPv6 address such as [::1]"),
    ],
)
def test_the_part_of_an_address_that_is_wrong_is_named(url: str, told: str) -> None:
    with pytest.raises(WrongParameter) as refusal:
        check_dsn(url)
    assert str(refusal.value).partition(";")[0] == told


async def test_what_answers_and_is_no_postgresql_is_reported() -> None:
    async def answer_as_web_server(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer_as_web_server, "127.0.0.1", 0) as server:
        url = f"postgresql://a@127.0.0.1:{server.sockets[0].getsockname()[1]}/shop"
        with pytest.raises(OSError, match="SSL") as refusal:
            await ask(url)
    assert "what answers there is no PostgreSQL" in describe_unusable(url, refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgres://h:5432/shop?user=anna@b",
        "postgres://anna:p:q@h:5432/shop?application_name=a@b",
        "postgres://anna:p%40ss@[::1]:5433,b.example,c.example:1/shop?sslmode=require",
        "postgresql+asyncpg:///shop?host=/run/postgresql",
        "postgresql://anna@/shop",
    ],
)
def test_what_is_a_url_of_a_database_is_taken(url: str) -> None:
    check_dsn(url)


def test_a_url_is_split_into_what_the_driver_reads_and_the_time_to_connect() -> None:
    assert split_dsn("postgres://a:b@c/d") == ("postgresql://a:b@c/d", CONNECT_SECONDS)
    url = "postgresql://a:b%2F@c/d?connect_timeout=7&keepalives=0&sslmode=disable"
    assert split_dsn(url) == ("postgresql://a:b%2F@c/d?sslmode=disable", 7.0)


def test_an_address_is_described_without_its_user_and_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGPORT"):
        monkeypatch.delenv(name, raising=False)
    assert describe_address("postgresql://") == "localhost:5432"
    assert describe_address("postgresql://a:secret@c:1,d:2/e?sslmode=x") == "c:1,d:2/e"
    assert describe_address("postgresql://a@/e?host=/run/x&port=5432") == "/run/x/e"
    assert describe_address("postgresql://a@c,[::1],[::1]:2/e") == "c:5432,[::1]:5432,[::1]:2/e"
    assert describe_address("postgresql://a@/e?host=c&port=7") == "c:7/e"
    assert describe_address("postgresql:///e?service=shop") == "/e"
