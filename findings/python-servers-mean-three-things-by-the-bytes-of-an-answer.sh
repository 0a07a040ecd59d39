#!/usr/bin/env bash
# Gunicorn 27.0.1, Hypercorn 0.18.0 and aiohttp 3.14.5: %(b)s of the first two, %b of the third.
#
# Guess: b is what Apache's %b is, whose letter all three borrow: the bytes of the body that were sent, without the
# header, and "-" for none.
#
# Only Gunicorn means that, with 0 for none. aiohttp counts the header too, and the framing of chunks. Hypercorn counts
# nothing: it repeats the header Content-Length, so an answer in chunks has "-" however large it is, and HEAD has the
# size of a body that was not sent; its %(B)s is the same. aiohttp's HEAD is the length of the header.
#
# Who sums up traffic: with Hypercorn streams, exports and compressed pages, which have no Content-Length, are missing,
# and each HEAD of a health check or a link checker counts as a full download.
#
# Seen (each line after #> is compared):
#
#> Gunicorn:
#>     GET /fixed: 5000, body received: 5000
#>     HEAD /fixed: 0, body received: 0
#>     GET /chunked: 5000, body received: 5040
#> Hypercorn:
#>     GET /fixed: 5000, body received: 5000
#>     HEAD /fixed: 5000, body received: 0
#>     GET /chunked: -, body received: 5040
#> aiohttp:
#>     GET /fixed: header and body, body received: 5000
#>     HEAD /fixed: header and body, body received: 0
#>     GET /chunked: header and body, body received: 5040

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
script=$(realpath "${BASH_SOURCE[0]}")
server=
trap '[ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" || true; }; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet gunicorn==27.0.1 hypercorn==0.18.0 aiohttp==3.14.5
cd "$work"

cat >shop.py <<'END'
import logging
import sys

CHUNK = b"x" * 1000


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    headers = [(b"content-length", b"5000")] if scope["path"] == "/fixed" else []
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for more in (True, True, True, True, False):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": more})


def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Length", "5000")] if environ["PATH_INFO"] == "/fixed" else [])
    return iter([] if environ["REQUEST_METHOD"] == "HEAD" else [CHUNK] * 5)


def serve_aiohttp(port):
    from aiohttp import web

    async def fixed(request):
        return web.Response(body=CHUNK * 5)

    async def chunked(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(5):
            await response.write(CHUNK)
        await response.write_eof()
        return response

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    application = web.Application()
    application.add_routes([web.get("/fixed", fixed), web.get("/chunked", chunked, allow_head=False)])
    web.run_app(application, host="127.0.0.1", port=port, access_log_format="%b", print=None)


if __name__ == "__main__":
    serve_aiohttp(int(sys.argv[1]))
END
cat >ask.py <<'END'
"""Print the bytes of header and body of each answer, as the client counts them."""
import socket, sys, time

for request in sys.argv[2:]:
    for _ in range(1200):
        try:
            one = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60)
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    with one:
        one.sendall(f"{request} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while data := one.recv(9999):
            answer += data
    header, end, body = answer.partition(b"\r\n\r\n")
    print(len(header + end), len(body))
END
requests=("GET /fixed" "HEAD /fixed" "GET /chunked")
try() {
    local name=$1 port
    shift
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "${@//PORT/$port}" >"$name.log" 2>&1 &
    server=$!
    python3 ask.py "$port" "${requests[@]}" >"$name.received"
    for _ in $(seq 1200); do
        [ "$(grep -cE '(^|] )[0-9-]+$' "$name.log")" -lt 3 ] || break
        sleep 0.05
    done
    kill "$server"
    wait "$server" || true
    echo "$name:"
    paste <(printf '%s\n' "${requests[@]}") <(grep -oE '(^|] )[0-9-]+$' "$name.log" | sed 's/^] //') "$name.received" |
        while IFS=$'\t' read -r request logged received; do
            read -r header body <<<"$received"
            [ "$logged" != $((header + body)) ] || logged="header and body"
            [ "$logged" != "$header" ] || logged="header"
            echo "    $request: $logged, body received: $body"
        done
}
export PATH=$work/venv/bin:$PATH PYTHONPATH=$work HOME=$work
{
    try Gunicorn gunicorn --bind 127.0.0.1:PORT --access-logfile - --access-logformat '%(b)s' shop:wsgi
    try Hypercorn hypercorn --bind 127.0.0.1:PORT --access-logfile - --access-logformat '%(b)s' shop:asgi
    try aiohttp python shop.py PORT
} >seen

if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
