#!/usr/bin/env bash
# lighttpd 1.4.69 (Debian 1.4.69-1): HTTP/2 connections are in the access log as requests of their own.
#
# Guess: one line for each request, HTTP/2 or not.
#
# What happens: when an HTTP/2 connection ends, its preface is logged as one more request: method PRI, URL *,
# protocol HTTP/2.0, status 100, with the bytes of the whole connection. Three requests over one connection
# are four lines. HTTP/2 is on unless it is switched off.
#
# Why it matters: a counter of lines is too high by the number of connections, "100" appears among the
# statuses, and a parser that wants a URL which begins with a slash rejects a good share of the log.
#
# Output seen:
#     1 127.0.0.1 - - [TIME] "PRI * HTTP/2.0" 100 BYTES "-" "-"
#     3 127.0.0.1 shop.test - [TIME] "GET / HTTP/1.1" 200 6 "-" "-"
#     3 127.0.0.1 shop.test - [TIME] "GET / HTTP/2.0" 200 6 "-" "-"
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

# Debian's packages, unpacked in the temporary folder: nothing is installed.
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(lighttpd=1.4.69-1)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
LD_LIBRARY_PATH=$(find "$work/tree" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir site
echo hello >site/index.html
cat >lighttpd.conf <<END
server.modules = ("mod_accesslog")
server.document-root = "$work/site"
server.bind = "127.0.0.1"
server.port = $port
server.errorlog = "$work/error.log"
accesslog.filename = "$work/access.log"
index-file.names = ("index.html")
END
tree/usr/sbin/lighttpd -D -m "$(find "$work/tree" -type d -path '*lib/lighttpd')" -f lighttpd.conf >server.out 2>&1 &
server=$!
cat >client.py <<'END'
"""Three GETs over one HTTP/2 connection in the clear, then three over one of HTTP/1.1."""
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

with connect() as one, one.makefile("rb") as answers:
    one.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0))
    for stream in (1, 3, 5):
        # :method GET, :scheme http, :path /, :authority shop.test
        one.sendall(frame(1, 5, stream, b"\x82\x86\x84\x41\x09shop.test"))
        while True:
            head = answers.read(9)
            data = answers.read(int.from_bytes(head[:3], "big"))
            if head[3] in (0, 1) and head[4] & 1:
                break
with connect() as one, one.makefile("rb") as answers:
    for _ in range(3):
        one.sendall(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        while (line := answers.readline()) != b"hello\n":
            pass
END
python3 client.py "$port"
sleep 1
kill "$server"
wait "$server" || true
sed -E 's/\[[^]]*\]/[TIME]/; s/("PRI [^"]*" 100) [0-9]+/\1 BYTES/' access.log | sort | uniq -c | sed 's/^ *//' >seen

cat >expected <<'END_OF_EXPECTED'
1 127.0.0.1 - - [TIME] "PRI * HTTP/2.0" 100 BYTES "-" "-"
3 127.0.0.1 shop.test - [TIME] "GET / HTTP/1.1" 200 6 "-" "-"
3 127.0.0.1 shop.test - [TIME] "GET / HTTP/2.0" 200 6 "-" "-"
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
