"""Breaks the form of HTTP requests: lines, headers, lengths, versions, and other protocols."""

from random import Random

from bench.hostile_requests import HostileRequest, Parts, Requests, to_bytes

SHARE = 0.12  # of all requests
TLS_HELLO = bytes.fromhex("160301002a010000260303") + b"\0" * 64
HTTP_2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
WEBSOCKET = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
]
TARGETS = (
    *("*", "//", "/../../etc/passwd", "/./tasks", "/tasks/../profile", "/tasks//1", "/tasks/1/", "/TASKS"),
    *("http://example.com/tasks", "http://127.0.0.1", "127.0.0.1:80", "tasks", "?a=1", "#", "/tasks#a"),
    *("/%", "/%zz", "/%00", "/%2e%2e/%2e%2e", "/\\..\\", "/tasks;a=1", "/api/v1/api/v1/tasks", "/api/v1"),
    *("/\xff\xfe", "/{task_id}", "/<script>", "/" + "a" * 100_000, "/" + "a/" * 5000, "/ /", "/\t", ""),
)
HEADS = (
    "Content-Length: -1",
    "Content-Length: 1e3",
    "Content-Length: 99999999999999999999999",
    "Content-Length: 5, 5",
    "Content-Length: 0\r\nContent-Length: 5",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: chunked\r\nContent-Length: 5",
    "Transfer-Encoding: \x0bchunked",
    "Transfer-Encoding : chunked",
    "No colon",
    ": no name",
    "A\0: nul in the name",
    "A: nul\0 in the value",
    "A: 1\r\n folded",
    "A : space",
    "A: " + "a" * 300_000,
    "\r\n".join(f"A{number}: 1" for number in range(1000)),
    "Host: 127.0.0.1",
    "Host:",
    "Host: a\r\nHost: b",
    "Host: [::1",
    "Expect: 100-continue",
    "Expect: the-spanish-inquisition",
    "Connection: close, upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    "TE: trailers\r\nTrailer: Authorization",
    "Cookie: " + "a=b;" * 500,
)
CHUNKS = (
    b"ffffffffffffffff\r\n",
    b"-1\r\n",
    b'5;ext="\r\nhello\r\n0\r\n\r\n',
    b"5\r\nhello0\r\n\r\n",
    b"0\r\nAuthorization: a\r\n\r\n",
    b"g\r\n\r\n",
    b"1" * 5000,
)


def make_request(requests: Requests, index: int) -> HostileRequest:
    """Make the request of a number, some of them no HTTP."""
    parts, random = requests.parts(index)
    data = break_form(parts, random) if random.random() < SHARE else to_bytes(parts)
    return HostileRequest(
        index,
        parts.operation if parts.is_http else None,
        parts.caller,
        parts.method,
        parts.target[:200],
        data,
        is_http=parts.is_http,
        end=parts.end,
    )


def break_form(parts: Parts, random: Random) -> bytes:
    """Break the form of a request in one of many ways."""
    parts.is_http = False
    match random.randint(0, 9):
        case 0 | 1:
            parts.target = random.choice(TARGETS)
            return to_bytes(parts)
        case 2 | 3 | 4:
            head, _, body = to_bytes(parts).partition(b"\r\n\r\n")
            parts.end = True  # its length may never be reached
            return head + b"\r\n" + random.choice(HEADS).encode("latin-1") + b"\r\n\r\n" + body
        case 5:
            return upgrade(parts, random)
        case 6:
            parts.headers = [
                pair for pair in parts.headers if pair[0] not in ("Content-Length", "Transfer-Encoding")
            ]
            parts.headers.append(("Transfer-Encoding", "chunked"))
            parts.body, parts.end = random.choice(CHUNKS), True
            return to_bytes(parts)
        case 7:
            data = to_bytes(parts)
            parts.end = True
            return data[: random.randrange(len(data))]
    return break_bytes(parts, random)


def upgrade(parts: Parts, random: Random) -> bytes:
    """Ask for another protocol, or speak one."""
    parts.end = True
    if random.random() < 0.5:
        parts.method, parts.body, parts.end = "GET", b"", False
        parts.headers = [*parts.headers[:1], *WEBSOCKET]
        data = to_bytes(parts)
        return data.replace(b"\r\nConnection: close", b"")
    return random.choice(
        (HTTP_2, TLS_HELLO, b"\0" * 100, bytes(random.randbytes(300)), b"GET /\r\n\r\n", b"\r\n" * 500)
    )


def break_bytes(parts: Parts, random: Random) -> bytes:
    data = to_bytes(parts)
    parts.end = True
    head, _, body = data.partition(b"\r\n\r\n")
    match random.randint(0, 5):
        case 0:
            return head.replace(b"\r\n", b"\n") + b"\n\n" + body
        case 1:
            return data.replace(
                b"HTTP/1.1", random.choice((b"HTTP/1.0", b"HTTP/1.9", b"HTTP/3", b"HTTP", b"")), 1
            )
        case 2:
            return data + data
        case 3:
            return head.replace(b"Host: 127.0.0.1\r\n", b"", 1) + b"\r\n\r\n" + body
        case 4:
            place = random.randrange(len(head))
            return head[:place] + random.randbytes(1) + head[place + 1 :] + b"\r\n\r\n" + body
    return data + random.randbytes(50)
