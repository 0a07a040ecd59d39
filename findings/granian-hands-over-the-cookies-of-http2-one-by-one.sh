#!/usr/bin/env bash
# Granian 2.8.7 with Sanic 25.12.1 and Starlette 1.10.0 as applications, and Hypercorn 0.18.0 beside it.
#
# Guess: an application sees one Cookie header, whatever the protocol: RFC 9113 lets a client send each cookie as a
# header of its own (browsers do), and has the server join them with "; " before it hands them to an application.
#
# Over HTTP/2 Granian hands over one header for each cookie. What comes of them depends on the application: Starlette
# reads all, Sanic reads the first, and the other cookies do not exist for it; over HTTP/1.1 it has them all. Hypercorn
# joins them.
#
# Who counts visitors or keeps sessions by cookie: with Granian's HTTP/2, which is on unless it is switched off, a cookie
# for a theme that stands first hides that of the session. Tests by HTTP/1.1, and by clients that send one header, pass.
#
# Seen (each line after #> is compared):
#
#> Granian, headers:
#>     HTTP/1.1: ["theme=dark; id=1"]
#>     HTTP/2:   ["theme=dark", "id=1"]
#> Granian, Sanic:
#>     HTTP/1.1: {"theme":"dark","id":"1"}
#>     HTTP/2:   {"theme":"dark"}
#> Granian, Starlette:
#>     HTTP/1.1: {"theme":"dark","id":"1"}
#>     HTTP/2:   {"theme":"dark","id":"1"}
#> Hypercorn, headers:
#>     HTTP/1.1: ["theme=dark; id=1"]
#>     HTTP/2:   ["theme=dark; id=1"]

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
script=$(realpath "${BASH_SOURCE[0]}")
server=
trap '[ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" || true; }; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet granian==2.8.7 sanic==25.12.1 hypercorn==0.18.0 starlette==1.10.0
cd "$work"

cat >plain.py <<'END'
import json

from sanic import Sanic
from sanic.response import json as answer
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

sanic_app = Sanic("shop")


@sanic_app.get("/")
async def cookies(request):
    return answer({name: request.cookies.get(name) for name in request.cookies})


async def headers(scope, receive, send):
    if scope["type"] != "http":
        return
    body = json.dumps([value.decode() for name, value in scope["headers"] if name == b"cookie"]).encode()
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


async def starlette_cookies(request):
    return JSONResponse(request.cookies)


starlette_app = Starlette(routes=[Route("/", starlette_cookies)])
END
cat >ask.py <<'END'
"""Send two cookies by HTTP/1.1 and, as two headers, by HTTP/2."""
import socket, struct, sys, time

def connect():
    for _ in range(1200):
        try:
            return socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60)
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit("no server")

def frame(kind, flags, stream, data=b""):
    return struct.pack(">I", len(data))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + data

def header(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value

with connect() as one:
    one.sendall(b"GET / HTTP/1.1\r\nHost: shop.test\r\nCookie: theme=dark; id=1\r\nConnection: close\r\n\r\n")
    answer = b""
    while data := one.recv(9999):
        answer += data
print("    HTTP/1.1:", answer.partition(b"\r\n\r\n")[2].decode())
with connect() as one, one.makefile("rb") as answers:
    # :method GET, :scheme http, :path /, :authority shop.test
    headers = b"\x82\x86\x84\x41\x09shop.test" + header(b"cookie", b"theme=dark") + header(b"cookie", b"id=1")
    one.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0) + frame(1, 5, 1, headers))
    body = b""
    while True:
        head = answers.read(9)
        data = answers.read(int.from_bytes(head[:3], "big"))
        if head[3] == 0:
            body += data
        if head[3] in (0, 1) and head[4] & 1:
            break
print("    HTTP/2:  ", body.decode())
END
try() {
    local title=$1 port
    shift
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "${@//PORT/$port}" >server.log 2>&1 &
    server=$!
    echo "$title:"
    python3 ask.py "$port"
    kill "$server"
    wait "$server" || true
}
export PATH=$work/venv/bin:$PATH PYTHONPATH=$work HOME=$work
{
    try "Granian, headers" granian --interface asgi --port PORT plain:headers
    try "Granian, Sanic" granian --interface asgi --port PORT plain:sanic_app
    try "Granian, Starlette" granian --interface asgi --port PORT plain:starlette_app
    try "Hypercorn, headers" hypercorn --bind 127.0.0.1:PORT plain:headers
} >seen

if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
