"""Odd and valid requests, for servers whose logs are read."""

import base64
import random
import socket
from contextlib import suppress

REQUESTS = 1000  # to each server
PATIENCE = 60.0  # seconds, for a server to answer
LINES = (
    *(b"GET /fresh_fish/ HTTP/1.1", b"GET /a?b=c&d=%20 HTTP/1.1", b"POST /basket HTTP/1.1"),
    *(b"HEAD / HTTP/1.0", "GET /рыба/ HTTP/1.1".encode(), b"GET /a%2fb//c/../d HTTP/1.1"),
    *(b"GET /old HTTP/1.1", b"GET http://other.example/x HTTP/1.1", b"PROPFIND /x HTTP/1.1"),
    *(b'GET /"quoted"/\\back HTTP/1.1', b"PRI * HTTP/2.0", b"OPTIONS * HTTP/1.1"),
    *(b"CONNECT a.example:443 HTTP/1.1", b"get /x HTTP/1.1", b"\x16\x03\x01", b"GET /a b HTTP/1.1"),
    *(b"GET /x HTTP/9.9", b"GET", b"GET /" + b"x" * 1500 + b" HTTP/1.1", b"GET /x"),
    *(b"GET  /twice HTTP/1.1", b"GET /behind  HTTP/1.1 ", b" GET /before HTTP/1.1", b"GET /a b"),
    *(
        b"GET /a b c  HTTP/1.0",
        b"GET\t/tab HTTP/1.1",
        b"GET HTTP://Other.example HTTP/1.1",
        b"GET //a HTTP/1.1",
    ),
    *(b"GET /%00/%0A HTTP/1.1", b"GET /\xff\xfe HTTP/1.1", b"GET /a#b HTTP/1.1", b"GET ?x HTTP/1.1"),
    *(
        b"GET /\x01 HTTP/1.1",
        b"GET /x http/1.1",
        b"OPTIONS / RTSP/1.0",
        b"GET /x FOO",
        b"",
        b"GET /robots.txt HTTP/1.1",
    ),
    *(
        b"GET ftp://a.example/x HTTP/1.1",
        b"DELETE /x HTTP/1.1",
        b"GET /a%zz HTTP/1.1",
        b"GET /../../x HTTP/1.1",
    ),
)
AGENTS = (
    *(b"Mozilla/5.0 (X11)", b'say "hi" \\ there', b"", "Браузер".encode()),
    b'[x] - - [29/Nov/2026:00:00:00 +0000] "GET',
)
USERS = (None, None, b"anna:x", b"an na] [x:y", b'a\\"b:', b"[29/Nov/2026 [x:y", b"a | b:y")


def send_requests(port: int) -> list[bytes]:
    """Send requests, each on its connection. Return the answers."""
    rng, answers = random.Random(7), list[bytes]()
    for _ in range(REQUESTS):
        line, agent, user = rng.choice(LINES), rng.choice(AGENTS), rng.choice(USERS)
        head = [line, b"Host: shop.example", b"Connection: close", b"User-Agent: " + agent]
        if user is not None:
            head.append(b"Authorization: Basic " + base64.b64encode(user))
        if rng.random() < 0.3:
            head.append(b'Referer: https://a.example/?q="x"')
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(b"\r\n".join([*head, b"", b""]))
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            with suppress(ConnectionResetError):  # what was sent is not read to its end
                while block := connection.recv(65536):
                    answer += block
            answers.append(answer)
    return answers
