#!/usr/bin/env bash
# lighttpd 1.4.69 (Debian 1.4.69-1): its default access log looks like the combined format and is not.
#
# Guess: without accesslog.format it writes the combined format, "-" in its second field; a request that it
# refuses is logged with its request line, as Apache and nginx do.
#
# What happens: the second field, the identity, is the Host that the client sent, in small letters and with its port
# if it sent one. And for a method that it does not know the request line is emptied: the two spaces and the protocol
# are left, so neither method nor URL can be read. If the protocol is unknown, even that is gone.
#
# Why it matters: a check for "- -" in the line rejects the whole log; a check for a method and a URL rejects
# lines that are no mistake of the file's.
#
# Output seen:
#     127.0.0.1 shop.test - [TIME] "GET / HTTP/1.1" 200 6 "-" "-"
#     127.0.0.1 shop.test:8080 - [TIME] "GET / HTTP/1.1" 200 6 "-" "-"
#     127.0.0.1 - - [TIME] "  HTTP/1.1" 501 353 "-" "-"
#     127.0.0.1 - - [TIME] "  " 505 375 "-" "-"
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
python3 - "$port" <<'END'
import socket, sys, time

for request in (
    b"GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: Shop.Test:8080\r\nConnection: close\r\n\r\n",
    b"BAN /films HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.2\r\nHost: shop.test\r\nConnection: close\r\n\r\n",
):
    for _ in range(1200):
        try:
            one = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60)
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    with one:
        one.sendall(request)
        while one.recv(9999):
            pass
END
sleep 1
kill "$server"
wait "$server" || true
sed -E 's/\[[^]]*\]/[TIME]/' access.log >seen

cat >expected <<'END_OF_EXPECTED'
127.0.0.1 shop.test - [TIME] "GET / HTTP/1.1" 200 6 "-" "-"
127.0.0.1 shop.test:8080 - [TIME] "GET / HTTP/1.1" 200 6 "-" "-"
127.0.0.1 - - [TIME] "  HTTP/1.1" 501 353 "-" "-"
127.0.0.1 - - [TIME] "  " 505 375 "-" "-"
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
