#!/usr/bin/env bash
# PHP-FPM 8.2.36 (Debian 8.2.36-1~deb12u1): %r and %R of access.format.
#
# Guess: %r, "the request URI" of its manual, is the page that was asked for, and %R, "remote IP address", the visitor's
# address, REMOTE_ADDR; both stand in the default format, which looks like Apache's common one.
#
# %r is the name of the script. In a shop with a front controller, which is every framework, that is /index.php for each
# page, with the query of the page behind it. %R is the other end of FPM's own connection: the web server, 127.0.0.1 or a
# container, the same for all visitors (over a Unix socket it is a dash). Page and visitor are to be had by
# %{REQUEST_URI}e and %{REMOTE_ADDR}e, variables that the web server hands over.
#
# Who counts pages or visitors by this log: one page, one visitor, and no line that looks wrong.
#
# Seen (each line after #> is compared):
#
#> %R=127.0.0.1 %m %r%Q%q=GET /index.php?tag=a REMOTE_ADDR=203.0.113.9 REQUEST_URI=/films/42?tag=a
#> %R=127.0.0.1 %m %r%Q%q=GET /index.php REMOTE_ADDR=198.51.100.7 REQUEST_URI=/basket

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC
work=$(mktemp -d)
script=$(realpath "${BASH_SOURCE[0]}")
server=
trap '[ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" || true; }; rm -rf "$work"' EXIT
cd "$work"

# Debian's packages, unpacked in the temporary folder: nothing is installed.
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(php8.2-fpm=8.2.36-1~deb12u1 libargon2-1 libsodium23)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
libraries=$(find "$work/tree" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)

mkdir site
echo '<?php echo "hello";' >site/index.php
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >fpm.conf <<END
[global]
error_log = $work/error.log
daemonize = no
[shop]
listen = 127.0.0.1:$port
user = $(id -un)
group = $(id -gn)
pm = static
pm.max_children = 1
access.log = $work/access.log
access.format = "%%R=%R %%m %%r%%Q%%q=%m %r%Q%q REMOTE_ADDR=%{REMOTE_ADDR}e REQUEST_URI=%{REQUEST_URI}e"
END
LD_LIBRARY_PATH=$libraries tree/usr/sbin/php-fpm8.2 -n -R -y fpm.conf >server.out 2>&1 &
server=$!
cat >ask.py <<'END'
"""Ask as nginx does, with try_files $uri /index.php$is_args$args and its fastcgi_params."""
import socket, struct, sys, time

port, site = int(sys.argv[1]), sys.argv[2]


def record(kind, data):
    return struct.pack(">BBHHBB", 1, kind, 1, len(data), 0, 0) + data


def pair(name, value):
    name, value = name.encode(), value.encode()
    return struct.pack(">II", len(name) | 1 << 31, len(value) | 1 << 31) + name + value


for address, uri in (("203.0.113.9", "/films/42?tag=a"), ("198.51.100.7", "/basket")):
    variables = {
        "REQUEST_METHOD": "GET", "REQUEST_URI": uri, "QUERY_STRING": uri.partition("?")[2],
        "DOCUMENT_URI": "/index.php", "SCRIPT_NAME": "/index.php", "SCRIPT_FILENAME": f"{site}/index.php",
        "DOCUMENT_ROOT": site, "REMOTE_ADDR": address, "SERVER_PROTOCOL": "HTTP/1.1",
    }
    for _ in range(1200):
        try:
            one = socket.create_connection(("127.0.0.1", port), timeout=60)
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    with one:
        begin, end = struct.pack(">HB5x", 1, 0), record(4, b"") + record(5, b"")
        one.sendall(record(1, begin) + record(4, b"".join(pair(*each) for each in variables.items())) + end)
        answer = b""
        while data := one.recv(9999):
            answer += data
    assert b"hello" in answer, answer
END
python3 ask.py "$port" "$work/site"
for _ in $(seq 1200); do
    [ "$(wc -l <access.log)" -lt 2 ] || break
    sleep 0.05
done
if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") access.log; then
    echo "changed: lines marked < were seen with the version above" >&2
    exit 1
fi
echo "as found"
