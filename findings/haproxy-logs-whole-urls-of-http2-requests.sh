#!/usr/bin/env bash
# HAProxy 2.6.12 (Debian 2.6.12-1+deb12u4).
#
# Guess: one page has one URL in the log, whether it was asked for by HTTP/1.1 or by HTTP/2; the browser sent the same
# path in both.
#
# The request line of an HTTP/2 request is written as a whole URL with scheme and host: "GET <http>://shop.test/films
# HTTP/2.0" beside "GET /films HTTP/1.1". So it is in the standard format (option httplog), in the CLF one, and in the
# variables %HP and %HU. A rewrite rule, an ACL by path and what the server behind HAProxy logs have the path alone.
#
# Who counts pages: each page is two, one for old clients and bots and one for browsers, and a filter for URLs that
# begin with a slash drops the browsers. %HPO is the path in either.
#
# Seen (each line after #> is compared; <http> stands for the scheme):
#
#> option httplog:     GET /films?tag=a HTTP/1.1
#> option httplog:     GET <http>://shop.test/films?tag=a HTTP/2.0
#> option httplog clf: GET /films?tag=a HTTP/1.1
#> option httplog clf: GET <http>://shop.test/films?tag=a HTTP/2.0
#> HTTP/1.1 HU=/films?tag=a HP=/films HPO=/films path=/films
#> HTTP/2.0 HU=<http>://shop.test/films?tag=a HP=<http>://shop.test/films HPO=/films path=/films

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC
work=$(mktemp -d)
stop() {
    for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT
script=$(realpath "${BASH_SOURCE[0]}")
cd "$work"

# Debian's packages, unpacked in the temporary folder: nothing is installed.
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(haproxy=2.6.12-1+deb12u4 liblua5.3-0=5.3.6-2 libopentracing-c-wrapper0=1.1.3-3+b1 libopentracing1=1.6.0-4)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
LD_LIBRARY_PATH=$(find "$work/tree" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH

cat >haproxy.cfg <<END
global
    log stdout format raw local0
defaults
    mode http
    log global
    timeout connect 60s
    timeout client 60s
    timeout server 60s
    default_backend shop
backend shop
    http-request return status 200 content-type text/plain string "hello"
frontend default
    bind unix@$work/default.1
    bind unix@$work/default.2 proto h2
    option httplog
frontend clf
    bind unix@$work/clf.1
    bind unix@$work/clf.2 proto h2
    option httplog clf
frontend own
    bind unix@$work/own.1
    bind unix@$work/own.2 proto h2
    log-format "%HV HU=%HU HP=%HP HPO=%HPO path=%[var(txn.path)]"
    http-request set-var(txn.path) path
END
tree/usr/sbin/haproxy -db -f haproxy.cfg >access.log 2>warnings.log &
cat >client.py <<'END'
"""One GET of /films?tag=a by HTTP/1.1 and one by HTTP/2, to each frontend."""
import os, socket, struct, sys, time

def connect(path):
    for _ in range(1200):
        try:
            one = socket.socket(socket.AF_UNIX)
            one.settimeout(60)
            one.connect(path)
            return one
        except OSError:
            time.sleep(0.05)
    sys.exit("no server")

def frame(kind, flags, stream, data=b""):
    return struct.pack(">I", len(data))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + data

for name in ("default", "clf", "own"):
    with connect(f"{name}.1") as one:
        one.sendall(b"GET /films?tag=a HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n")
        while one.recv(9999):
            pass
    with connect(f"{name}.2") as one, one.makefile("rb") as answers:
        # :method GET, :scheme http, :path /films?tag=a, :authority shop.test
        head = b"\x82\x86\x04\x0c/films?tag=a\x41\x09shop.test"
        one.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0) + frame(1, 5, 1, head))
        while True:
            head = answers.read(9)
            answers.read(int.from_bytes(head[:3], "big"))
            if head[3] in (0, 1) and head[4] & 1:
                break
END
python3 client.py
for _ in $(seq 1200); do [ "$(wc -l <access.log)" -lt 6 ] || break; sleep 0.05; done
sed -E 's|http(://)|<http>\1|g; s/^[^"]*"([^"]*)".*/\1/; 1,2s/^/option httplog:     /; 3,4s/^/option httplog clf: /' access.log >seen

if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
