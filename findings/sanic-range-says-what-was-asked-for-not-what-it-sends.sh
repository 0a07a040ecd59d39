#!/usr/bin/env bash
# Sanic 25.12.1: ranges of a static file.
#
# Guess: "bytes=0-99" of a file of 10 bytes is answered with "Content-Range: bytes 0-9/10"; a range in a unit
# that the server does not know is ignored (200, the whole file), as is a list of several ranges.
#
# What happens: the answer is 10 bytes long and says "bytes 0-99/10". An unknown unit, and several ranges, are
# answered with 416 and no file.
#
# Why it matters: a client that fetches a log in pieces of fixed size (tail -c, a download that goes on) takes
# the last answer's header for a lie, or its file for 100 bytes; one that asks for two ranges gets nothing.
#
# Output seen:
#     bytes=2-4     206 bytes 2-4/10  234
#     bytes=-3      206 bytes 7-9/10  789
#     bytes=0-99    206 bytes 0-99/10 0123456789
#     bytes=0-1,4-5 416 bytes */10
#     lines=0-1     416 bytes */10
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
venv/bin/pip install -q --disable-pip-version-check --no-cache-dir sanic==25.12.1 tracerite==2.6.5 2>pip.log || { cat pip.log; exit 1; }

printf 0123456789 >access.log
cat >shop.py <<'END'
from sanic import Sanic

app = Sanic("shop")
app.static("/access.log", "access.log", use_content_range=True)
END
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
PYTHONPATH=$work HOME=$work venv/bin/sanic shop:app --host 127.0.0.1 --port "$port" --single-process --no-motd >server.out 2>&1 &
server=$!
cat >ask.py <<'END'
import http.client, sys, time

def ask(path, **headers):
    for _ in range(1200):
        try:
            one = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
            one.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = one.getresponse()
            return answer, answer.read().decode()
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit("no server")
END
cat >>ask.py <<'END'

for wanted in ("bytes=2-4", "bytes=-3", "bytes=0-99", "bytes=0-1,4-5", "lines=0-1"):
    answer, body = ask("/access.log", Range=wanted)
    print(f"{wanted:13} {answer.status} {answer.getheader('Content-Range')!s:13} {body if answer.status == 206 else ''}".rstrip())
END
python3 ask.py "$port" >seen
kill "$server"
wait "$server" || true

cat >expected <<'END_OF_EXPECTED'
bytes=2-4     206 bytes 2-4/10  234
bytes=-3      206 bytes 7-9/10  789
bytes=0-99    206 bytes 0-99/10 0123456789
bytes=0-1,4-5 416 bytes */10
lines=0-1     416 bytes */10
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
