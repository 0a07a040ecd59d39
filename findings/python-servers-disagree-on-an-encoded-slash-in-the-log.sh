#!/usr/bin/env bash
# Granian 2.8.7, Uvicorn 0.54.0, Hypercorn 0.18.0 and Gunicorn 27.0.1: one request, four lines.
#
# Guess: the request line in an access log is what the client sent, as nginx and Apache write it.
#
# What happens: for /films%2Fnew%20ones?tag=a only Gunicorn logs what was sent. Granian decodes the path,
# spaces included, and leaves the query out (a field of its own holds it, if the format asks for it); Hypercorn
# decodes it too, leaves the query out and writes the protocol as "1.1"; Uvicorn decodes it and encodes it
# anew, by which %2F becomes a real slash. HTTP/1.0 is "HTTP/1" for Granian.
#
# Why it matters: /films%2Fnew and /films/new are two pages that become one, lines have a space too many for
# a split by spaces, and no parser of the common format takes Hypercorn's default line.
#
# Output seen:
#     gunicorn:
#         "GET /films%2Fnew%20ones?tag=a HTTP/1.1"
#         "GET /films%2Fnew%20ones?tag=a HTTP/1.0"
#     granian:
#         "GET /films/new ones HTTP/1.1"
#         "GET /films/new ones HTTP/1"
#     hypercorn:
#         "GET /films/new ones 1.1"
#         "GET /films/new ones 1.0"
#     uvicorn:
#         "GET /films/new%20ones?tag=a HTTP/1.1"
#         "GET /films/new%20ones?tag=a HTTP/1.0"
set -euo pipefail

work=$(mktemp -d)
stop() {
    for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT
cd "$work"
export LC_ALL=C TZ=UTC

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-cache-dir granian==2.8.7 uvicorn==0.54.0 hypercorn==0.18.0 gunicorn==27.0.1 2>pip.log || { cat pip.log; exit 1; }

cat >shop.py <<'END'
async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]
END
cat >ask.py <<'END'
import socket, sys, time

for protocol in ("1.1", "1.0"):
    for _ in range(1200):
        try:
            one = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60)
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    with one:
        one.sendall(f"GET /films%2Fnew%20ones?tag=a HTTP/{protocol}\r\nHost: shop.test\r\nConnection: close\r\n\r\n".encode())
        while one.recv(9999):
            pass
END
try() {
    local name=$1 port
    shift
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "${@//PORT/$port}" >"$name.log" 2>&1 &
    local server=$!
    python3 ask.py "$port"
    for _ in $(seq 1200); do
        [ "$(grep -c '"GET ' "$name.log")" = 2 ] && break
        sleep 0.05
    done
    kill "$server"
    wait "$server" || true
    echo "$name:"
    grep -o '"GET [^"]*"' "$name.log" | sed 's/^/    /'
}
export PATH=$work/venv/bin:$PATH PYTHONPATH=$work HOME=$work
{
    try gunicorn gunicorn --bind 127.0.0.1:PORT --access-logfile - shop:wsgi
    try granian granian --interface asgi --port PORT --access-log shop:asgi
    try hypercorn hypercorn --bind 127.0.0.1:PORT --access-logfile - shop:asgi
    try uvicorn uvicorn --port PORT shop:asgi
} >seen

cat >expected <<'END_OF_EXPECTED'
gunicorn:
    "GET /films%2Fnew%20ones?tag=a HTTP/1.1"
    "GET /films%2Fnew%20ones?tag=a HTTP/1.0"
granian:
    "GET /films/new ones HTTP/1.1"
    "GET /films/new ones HTTP/1"
hypercorn:
    "GET /films/new ones 1.1"
    "GET /films/new ones 1.0"
uvicorn:
    "GET /films/new%20ones?tag=a HTTP/1.1"
    "GET /films/new%20ones?tag=a HTTP/1.0"
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
