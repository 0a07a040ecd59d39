#!/usr/bin/env bash
# Apache 2.4.71 (Debian 2.4.71-1~deb12u1) with mod_dir and mod_rewrite.
#
# Guess: %U is the path that was asked for, and %q its query: the manual says that %U looks at the original request,
# before internal redirects, and that "%m %U%q %H" is the same as %r. %<U says "the original" once more.
#
# For each folder they are the index file: "/" is logged as /index.html, /films/ as /films/index.html, by %U and %<U
# alike, since mod_dir puts the file's request in the place of the first one. What a RewriteRule passes through ([PT])
# is logged as what it was made into, and its query is the rule's, not the visitor's. Where an ErrorDocument answers,
# the path is the visitor's and the query is gone. Percent signs are decoded and double slashes made one.
#
# Who counts pages with a format of %U has no "/" but an /index.html that nobody linked to, other pages than with %r,
# and loses the campaign of a link that was rewritten.
#
# Seen (each line after #> is compared):
#
#> GET / HTTP/1.1: %U%q /index.html, %<U /index.html, status 200
#> GET /index.html HTTP/1.1: %U%q /index.html, %<U /index.html, status 200
#> GET /films/?tag=new HTTP/1.1: %U%q /films/index.html?tag=new, %<U /films/index.html, status 200
#> GET /films//%69ndex.html HTTP/1.1: %U%q /films/index.html, %<U /films/index.html, status 200
#> GET /go/42?campaign=may HTTP/1.1: %U%q /films/index.html?film=42, %<U /films/index.html, status 200
#> GET /nothing?a=1 HTTP/1.1: %U%q /nothing, %<U /nothing, status 404

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
packages=(
    apache2-bin=2.4.71-1~deb12u1 libapr1=1.7.2-3+deb12u1 libaprutil1=1.6.3-1+deb12u1
    libaprutil1-dbd-sqlite3=1.6.3-1+deb12u1 libaprutil1-ldap=1.6.3-1+deb12u1 libjansson4=2.14-2 liblua5.3-0=5.3.6-2
)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
LD_LIBRARY_PATH=$(find "$work/tree" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p doc/films
for page in index.html films/index.html gone.html; do echo "$page" >doc/$page; done
modules=$work/tree/usr/lib/apache2/modules
cat >httpd.conf <<END
ServerRoot "$work"
ServerName shop.test
Listen 127.0.0.1:$port
PidFile "$work/httpd.pid"
ErrorLog "$work/httpd.errors"
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule dir_module $modules/mod_dir.so
LoadModule rewrite_module $modules/mod_rewrite.so
DocumentRoot "$work/doc"
ErrorDocument 404 /gone.html
RewriteEngine on
RewriteRule ^/go/(.*)$ /films/index.html?film=\$1 [PT]
LogFormat "%r: %%U%%q %U%q, %%<U %<U, status %s" paths
CustomLog "$work/access.log" paths
END
tree/usr/sbin/apache2 -X -f "$work/httpd.conf" >httpd.out 2>&1 &
cat >ask.py <<'END'
import socket, sys, time

for path in ("/", "/index.html", "/films/?tag=new", "/films//%69ndex.html", "/go/42?campaign=may", "/nothing?a=1"):
    for _ in range(1200):
        try:
            one = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60)
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    with one:
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n".encode())
        while one.recv(9999):
            pass
END
python3 ask.py "$port"
for _ in $(seq 1200); do [ "$(wc -l <access.log)" -lt 6 ] || break; sleep 0.05; done
cp access.log seen

if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
