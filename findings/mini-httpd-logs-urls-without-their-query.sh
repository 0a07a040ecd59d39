#!/usr/bin/env bash
# mini_httpd 1.30 (Debian 1.30-3).
#
# Guess: its log is in the combined format, so the quoted request is what the client sent, as in Apache's and nginx's;
# what is not there is "-".
#
# The query is not in it: /films/?tag=new is logged as /films/. The path is decoded, so an encoded blank makes a request
# of four words. A page of an error has "-" for its bytes, though it was sent; an absent referrer is "", not "-".
#
# Who counts searches or campaigns by this log has none; who reads fields by blanks has a piece of the path for the
# status.
#
# Seen (each line after #> is compared):
#
#> /films/?tag=new: 200, 6 bytes
#>     logged as "GET /films/ HTTP/1.1" 200 6 "" "test"
#> /films/index.html?film=42: 200, 6 bytes
#>     logged as "GET /films/index.html HTTP/1.1" 200 6 "" "test"
#> /a%20film.html: 200, 6 bytes
#>     logged as "GET /a film.html HTTP/1.1" 200 6 "" "test"
#> /nothing: 404, some bytes
#>     logged as "GET /nothing HTTP/1.1" 404 - "" "test"

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
packages=(mini-httpd=1.30-3)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p doc/films
echo films >doc/films/index.html
echo blank >"doc/a film.html"
tree/usr/sbin/mini_httpd -D -h 127.0.0.1 -p "$port" -d "$work/doc" -l "$work/access.log" 2>server.out &
cat >ask.py <<'END'
import socket, sys, time

for path in ("/films/?tag=new", "/films/index.html?film=42", "/a%20film.html", "/nothing"):
    for _ in range(1200):
        try:
            one = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60)
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    with one:
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: test\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while more := one.recv(9999):
            answer += more
    head, body = answer.split(b"\r\n\r\n", 1)
    print(f"{path}: {head.split(b' ')[1].decode()}, {'some' if path == '/nothing' else len(body)} bytes")
END
python3 ask.py "$port" >asked
for _ in $(seq 1200); do [ "$(wc -l <access.log)" -lt 4 ] || break; sleep 0.05; done
paste -d '\n' asked <(sed 's/.*\] /    logged as /' access.log) >seen

if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
