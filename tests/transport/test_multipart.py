"""Logs uploaded in forms, as browsers, curl -F and generated clients send them."""

import gzip
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from sanic.exceptions import BadRequest

from clients.geo import Geo
from db.database import Database
from service.logs.streams import BrokenOff
from tests.support.document_checks import document
from tests.support.http_client import User
from tests.support.log_imports import Importer, some_lines
from transport.multipart import MAX_FIELDS, MAX_HEAD, open_first_file

TYPE = "multipart/form-data; boundary=b"
LOG = some_lines(40)
HEAD = b'Content-Disposition: form-data; name="log"; filename="july.log"\r\nContent-Type: text/plain\r\n\r\n'
FIELD = b'Content-Disposition: form-data; name="note"\r\n\r\nfilename="x"'


def form(*parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end


async def pieces_of(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def read_form(body: bytes, *, size: int = 1 << 20, content_type: str = TYPE) -> tuple[str, bytes]:
    file = await open_first_file(content_type, pieces_of(body, size))
    return file.name, b"".join([piece async for piece in file.pieces])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    "content", [b"", b"a", b"a\r\n", b"\r\n--\r\n--a\r\n--c\r\n", b"\r\n\r\n", bytes(range(256))]
)
async def test_the_first_file_is_read_byte_for_byte_however_it_arrives(content: bytes, size: int) -> None:
    body = b"a preamble\r\n" + form(FIELD, HEAD + content, HEAD + b"a second file")
    assert await read_form(body, size=size) == ("july.log", content)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ('name="a"; filename="july.log"', "july.log"),
        ("name=a; filename=july.log", "july.log"),
        (r'name="a"; filename="C:\logs\july.log"', "july.log"),
        ('name="a"; filename="../../etc/july.log"', "july.log"),
        ('name="a"; filename="июль.log"', "июль.log"),
        ("name=a; filename*=UTF-8''%D0%B8%D1%8E%D0%BB%D1%8C.log", "июль.log"),
        ('name="file"', ""),
        ('name="file"; filename=""', ""),
    ],
)
async def test_a_file_has_its_bare_name(options: str, name: str) -> None:
    head = f"content-disposition:form-data; {options}\r\n\r\n".encode()
    assert await read_form(form(FIELD, head + b"x")) == (name, b"x")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"a line\r\n" + form(HEAD), "multipart/form-data"),
        (b"--" + b"b" * 71 + b"\r\n", "multipart/form-data"),
        (b"a" * MAX_HEAD * 2, "multipart/form-data"),
        (form(HEAD), "multipart/form-data; boundary=" + "b" * 71),
        (form(HEAD), "multipart/form-data; boundary=c"),
        (form(FIELD), TYPE),
        (form(HEAD.replace(b"july.log", b"")), TYPE),
        (form(), TYPE),
        (b"", TYPE),
        (b"--b\r\n" + HEAD[:20], TYPE),
        (form(b"A: " + b"a" * (MAX_HEAD + 1) + b"\r\n\r\n", HEAD), TYPE),
        (form(FIELD + b"a" * MAX_FIELDS, HEAD), TYPE),
        (form(*[FIELD] * (MAX_FIELDS // 40), HEAD), TYPE),
    ],
)
async def test_a_form_without_a_file_or_too_much_before_it_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(BadRequest):
        await read_form(body, size=65536, content_type=content_type)


@pytest.mark.parametrize("body", [b"", b"a line\r\n" + form(HEAD), b"a=1", b"--\r\n", b"--b"])
async def test_a_form_that_tells_no_boundary_is_told_so(body: bytes) -> None:
    with pytest.raises(BadRequest, match=r"^the Content-Type has no boundary$"):
        await read_form(body, content_type="multipart/form-data")


@pytest.mark.parametrize("size", [1, 1000])
async def test_a_boundary_that_the_client_does_not_tell_is_the_first_line(size: int) -> None:
    body = form(FIELD, HEAD + LOG)
    assert await read_form(body, size=size, content_type="multipart/form-data") == ("july.log", LOG)


async def test_a_file_whose_form_ends_before_it_has_broken_off() -> None:
    with pytest.raises(BrokenOff):
        await read_form(form(HEAD + LOG, end=b""), size=65536)


@pytest.fixture
def db(committed_db: Database) -> Database:
    """An import holds its lock in one transaction and stores chunks in others."""
    return committed_db


@pytest.fixture
def shop(db: Database, geo: Geo) -> Importer:
    return Importer(db, geo)


@pytest.mark.parametrize("content", [LOG, gzip.compress(LOG)], ids=["plain", "gzipped"])
async def test_a_form_is_imported_under_the_name_of_its_file(
    admin: User, shop: Importer, content: bytes
) -> None:
    data = aiohttp.FormData({"note": "of july"})
    data.add_field("log", content, filename="july.log", content_type="application/octet-stream")
    answer = await admin.client.post("/imports", data=data)
    assert (answer.status, answer.json["status"], answer.json["imported"]) == (202, "done", 40)
    assert (answer.json["name"], answer.json["bytes_total"]) == ("july.log", None)
    named = aiohttp.FormData()
    named.add_field("file", content, filename="july.log")
    answer = await admin.client.post("/imports?name=again", data=named)
    assert (answer.json["name"], answer.json["duplicates"]) == ("again", 40)


@pytest.mark.parametrize("content_type", ["application/octet-stream", "application/gzip", "text/csv", "x"])
async def test_any_other_content_type_is_a_log(admin: User, shop: Importer, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    answer = await admin.client.post("/imports", data=LOG, headers=headers)
    assert (answer.status, answer.json["imported"], answer.json["name"]) == (202, 40, "upload")


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (form(FIELD), {}, 400),
        (form(HEAD.replace(b"july", b"a" * 300) + LOG), {}, 422),
        (form(HEAD + LOG), {"Content-Encoding": "gzip"}, 415),
    ],
)
async def test_a_form_that_is_refused_makes_no_import(
    admin: User, shop: Importer, body: bytes, headers: dict[str, Any], status: int
) -> None:
    answer = await admin.client.post("/imports", data=body, headers={"Content-Type": TYPE, **headers})
    assert answer.status == status
    assert (await admin.client.get("/imports")).json["items"] == []


async def test_a_form_that_breaks_off_fails_and_keeps_its_whole_lines(admin: User, shop: Importer) -> None:
    body = form(HEAD + LOG[:-10], end=b"")
    answer = await admin.client.post("/imports", data=body, headers={"Content-Type": TYPE})
    assert (answer.status, answer.json["status"], answer.json["imported"]) == (202, "failed", 39)
    assert "boundary" in answer.json["error"]


def test_the_document_says_that_a_form_may_have_other_fields() -> None:
    assert document()["components"]["schemas"]["UploadForm"]["additionalProperties"] is True
