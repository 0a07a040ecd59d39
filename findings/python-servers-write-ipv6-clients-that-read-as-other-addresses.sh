#!/usr/bin/env bash
# Uvicorn 0.54.0, Hypercorn 0.18.0, Sanic 25.12.1 and Gunicorn 27.0.1: an IPv6 client in the access log.
#
# Guess: where a log has address and port, an IPv6 address stands in brackets, [::1]:8080, as in a URL, since nothing else
# tells the two apart; a server that leaves the port out needs none.
#
# Gunicorn leaves it out. The other three join address and port with a colon and no brackets, for IPv6 as for IPv4: ::1 from
# port 8080 is ::1:8080, and that is an address too, of somebody else. A port of five digits makes a text that is no address
# at all. For IPv4 all is well, so nothing shows until the first client comes by IPv6.
#
# Who cuts at the first colon has an empty address or "2001"; who cuts at the last one is right here, and wrong for servers
# that log no port; who parses loses these visitors, or counts strangers where a proxy or a NAT picks low ports.
#
# Seen (each line after #> is compared; PORT is the client's, of four digits):
#
#> Uvicorn: ::1:PORT, parsed: ::1:PORT
#> Hypercorn: ::1:PORT, parsed: ::1:PORT
#> Sanic: ::1:PORT, parsed: ::1:PORT
#> Gunicorn: ::1, parsed: ::1

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
script=$(realpath "${BASH_SOURCE[0]}")
server=
trap '[ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" || true; }; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet uvicorn==0.54.0 hypercorn==0.18.0 sanic==25.12.1 gunicorn==27.0.1
cd "$work"

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


def serve_sanic(port):
    from sanic import Sanic, text

    application = Sanic("shop")
    application.add_route(lambda request: text("hello"), "/films")
    application.run("::1", port, single_process=True, access_log=True, motd=False)


if __name__ == "__main__":
    import sys

    serve_sanic(int(sys.argv[1]))
END
cat >ask.py <<'END'
"""Ask from a port of four digits, and print it."""
import socket, sys, time

for attempt in range(1200):
    one = socket.socket(socket.AF_INET6)
    try:
        one.bind(("::1", 5000 + attempt))
        one.settimeout(60)
        one.connect(("::1", int(sys.argv[1])))
        break
    except OSError:
        one.close()
        time.sleep(0.05)
with one:
    print(one.getsockname()[1])
    one.sendall(b"GET /films HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n")
    while one.recv(9999):
        pass
END
cat >show.py <<'END'
"""Print the part of a line that holds the client, and what ipaddress makes of it."""
import ipaddress, re, sys

port, [line] = sys.argv[2], [line for line in open(sys.argv[1]) if "/films" in line]
text = re.search(r"::1[0-9:]*", line)[0]
parsed = str(ipaddress.ip_address(text))
print(f"{text}, parsed: {parsed}".replace(port, "PORT"))
END
try() {
    local name=$1 port client
    shift
    port=$(python3 -c 'import socket; s = socket.socket(socket.AF_INET6); s.bind(("::1", 0)); print(s.getsockname()[1])')
    "${@//PORT/$port}" >"$name.log" 2>&1 &
    server=$!
    client=$(python3 ask.py "$port")
    for _ in $(seq 600); do
        ! grep -q /films "$name.log" || break
        sleep 0.1
    done
    kill "$server"
    wait "$server" || true
    echo "$name: $(python3 show.py "$name.log" "$client")"
}
export PATH=$work/venv/bin:$PATH PYTHONPATH=$work HOME=$work PYTHONUNBUFFERED=1
{
    try Uvicorn uvicorn --host ::1 --port PORT shop:asgi
    try Hypercorn hypercorn --bind '[::1]:PORT' --access-logfile - shop:asgi
    try Sanic python shop.py PORT
    try Gunicorn gunicorn --bind '[::1]:PORT' --access-logfile - shop:wsgi
} >seen
if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") seen; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
