"""Makes hostile bodies: JSON of all shapes, junk, gzip that breaks off, lengths and media types that lie."""

import gzip
import zlib
from functools import cache
from random import Random

from bench.hostile_values import Json, Values, write_json

MIB = 1024 * 1024
JSON = "application/json"
MEDIA_TYPES = (
    *("text/plain", "application/JSON; charset=utf-8", "application/x-ndjson", "application/octet-stream"),
    *("multipart/form-data; boundary=x", "multipart/form-data", "application/x-www-form-urlencoded", "", "/"),
    *(
        "application/json; charset=utf-16",
        "image/svg+xml",
        "application/xml",
        "application/json;" + "a" * 500,
    ),
)
JUNK = (
    b"",
    b"\0",
    b"\xff\xfe{\0}\0",
    b"\xef\xbb\xbf{}",
    b"{",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"\x1f\x8b\x08\x00",
    b"null",
    b'"' + b"a" * 70_000 + b'"',
    b'{"events": [' + b"1," * 20_000 + b"1]}",
    b'{"visits": [' + b"{}," * 11_000 + b"{}]}",
    b"\xed\xa0\x80",
    b"--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\n127.0.0.1 - -\r\n--x--",
    b"--x\r\n" * 1000,
    b"login=user+1&password=wrong",
    b"a=%ff&a=%00",
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    b"shop_api | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 121.165.118.201 https://a.example/fresh_fish/\n",
    b'192.0.2.1 - - [01/Aug/2018:00:01:35 +0000] "GET /a HTTP/1.1" 200 1 "-" "-"\n' * 3,
    b"\0" * 5000 + b"\n" + b"a" * 70_000 + b"\n",
)
Headers = list[tuple[str, str]]


def make_body(operation: Json, values: Values) -> tuple[Headers, bytes]:
    """Make a body for an operation, with the headers that describe it."""
    random = values.random
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        if random.random() < 0.9:
            return [], b""
        body = random.choice(JUNK)
        return frame([("Content-Type", random.choice(MEDIA_TYPES))], body, random)
    media_type = random.choice(list(content))
    body = make_content(media_type, content[media_type]["schema"], values)
    if random.random() < 0.06:
        media_type = random.choice(MEDIA_TYPES)
    headers = [("Content-Type", media_type)] if media_type else []
    takes_gzip = any(each["name"] == "Content-Encoding" for each in operation["parameters"])
    if random.random() < (0.2 if takes_gzip else 0.02):
        encoding, body = encode(body, random)
        headers.append(("Content-Encoding", encoding))
    return frame(headers, body, random)


def make_content(media_type: str, schema: Json, values: Values) -> bytes:
    random = values.random
    choice = random.random()
    if choice < 0.1:
        return random.choice(JUNK)
    if choice < 0.105:
        return b'{"a": "' + b"a" * MIB + b'"}'
    if media_type.endswith("ndjson"):
        lines = [make_json(schema.get("x-line", {}), values) for _ in range(random.choice((1, 2, 5)))]
        return random.choice((b"\n", b"\r\n", b"\n\n", b"\r")).join(lines)
    if media_type == JSON:
        return make_json(schema, values)
    return random.choice(JUNK)


def make_json(schema: Json, values: Values) -> bytes:
    random = values.random
    value = values.fitting(schema)
    for _ in range(random.choice((0, 0, 1, 1, 1, 2))):
        value = values.broken(value)
    text = write_json(value)
    if random.random() < 0.03:
        text = text[: random.randrange(len(text) + 1)]
    data = text.encode(errors="surrogatepass")
    return data if random.random() < 0.98 else flip(data, random)


def flip(data: bytes, random: Random) -> bytes:
    """Change a byte."""
    if not data:
        return data
    place = random.randrange(len(data))
    return data[:place] + bytes([random.randrange(256)]) + data[place + 1 :]


def encode(body: bytes, random: Random) -> tuple[str, bytes]:
    """Gzip a body, well or not, or only say so."""
    gzipped = gzip.compress(body, 1)
    encoding = random.choice(
        ("gzip", "gzip", "gzip", "x-gzip", "GZIP", "br", "gzip, gzip", "identity", "deflate", "")
    )
    bodies = (
        gzipped,
        gzipped,
        gzipped[: random.randrange(len(gzipped))],
        gzipped + b"junk",
        gzipped + gzipped,
        gzipped[:-8] + b"\0" * 8,
        flip(gzipped, random),
        body,
        zlib.compress(body),
        bomb(),
    )
    return encoding, random.choice(bodies)


@cache
def bomb() -> bytes:
    """Gzip a little more zeros than any body may have."""
    return gzip.compress(b"\0" * (33 * MIB), 9)


def frame(headers: Headers, body: bytes, random: Random) -> tuple[Headers, bytes]:
    """Tell the length of a body in one of the two ways."""
    if random.random() > 0.1:
        return [*headers, ("Content-Length", str(len(body)))], body
    size = random.choice((1, 7, 1000)) if len(body) < 2000 else 65536
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    chunked = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return [*headers, ("Transfer-Encoding", "chunked")], chunked + b"0\r\n\r\n"
