#!/usr/bin/env bash
# webfs 1.21 (Debian 1.21+ds1-12+b1), the small file server: what its access log says of kept connections.
#
# Guess: one line for each request, with the bytes of its answer.
#
# The last request of a connection that is kept alive is logged again when the client closes it, in the same
# words. And bytes are counted by connection, not by answer: each line has all that was sent until then. Only
# `Connection: close` makes a line of each request and counts its bytes.
#
# Why it matters: nearly every page view of a browser ends a kept connection, so a counter of lines is up to
# twice too high, and sums of bytes grow with the square of the requests of a connection.
#
# Seen (each line after #> is compared; bytes as multiples of the first answer's):
#
#> three requests, each with Connection: close
#>     GET /a 200 bytes x1
#>     GET /a 200 bytes x1
#>     GET /a 200 bytes x1
#> three requests over one connection
#>     GET /a 200 bytes x1
#>     GET /a 200 bytes x2
#>     GET /a 200 bytes x3
#>     GET /a 200 bytes x3
set -euo pipefail

self=$(realpath "${BASH_SOURCE[0]}")
work=$(mktemp -d)
stop() {
    for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT
cd "$work"
export LC_ALL=C TZ=UTC HOME="$work" XDG_DATA_HOME="$work" XDG_CONFIG_HOME="$work"

# Debian's packages, unpacked in the temporary folder: nothing is installed.
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(webfs=1.21+ds1-12+b1)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
wait_for_server() {
    for _ in $(seq 1200); do
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
        sleep 0.05
    done
    echo "no server" >&2
    exit 1
}
mkdir site
echo hello >site/a
tree/usr/bin/webfsd -F -p "$port" -i 127.0.0.1 -r "$work/site" -L "$work/access.log" -u "$(id -un)" -g "$(id -gn)" >server.out 2>&1 &
server=$!
wait_for_server
cat >client.py <<'END'
"""Asks three times over connections of their own, then over one, and tells what was logged of each."""
import http.client, sys, time

def ask(connection, headers):
    connection.request("GET", "/a", headers=headers)
    answer = connection.getresponse()
    answer.read()

def lines_since(count, least):
    for _ in range(1200):
        with open("access.log") as log:
            lines = [line.split() for line in log if '"GET ' in line][count:]
        if len(lines) >= least:
            break
        time.sleep(0.05)
    return lines

def tell(lines):
    first = int(lines[0][9])
    for line in lines:
        print("   ", line[5].strip('"'), line[6], line[8], f"bytes x{int(line[9]) / first:.0f}")

address = ("127.0.0.1", int(sys.argv[1]))
print("three requests, each with Connection: close")
for _ in range(3):
    connection = http.client.HTTPConnection(*address)
    ask(connection, {"Connection": "close"})
    connection.close()
closed = lines_since(0, 3)
tell(closed)
print("three requests over one connection")
connection = http.client.HTTPConnection(*address)
for _ in range(3):
    ask(connection, {})
connection.close()
tell(lines_since(len(closed), 4))
END
python3 client.py "$port" >seen
kill "$server"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "$self") seen; then
    echo "changed: lines marked < were seen with the version above" >&2
    exit 1
fi
echo "as found"
