#!/usr/bin/env bash
# Apache 2.4.71 (Debian 2.4.71-1~deb12u1) and nginx 1.22.1 (Debian 1.22.1-9+deb12u11).
#
# Guess: %{id}C and $cookie_id are the cookie "id", $arg_tag is the parameter "tag", as each program behind the server
# reads them: "ID" and "Tag" are other names, which browsers and frameworks keep apart.
#
# Both servers look for these names without regard to case, and take the first that fits: with "ID=old; id=new" the log
# says old. If only ID was sent it is logged as id. For headers, whose names have no case, that would be right.
#
# Who counts visitors by a cookie in the log, or campaigns by a parameter, finds other values than the shop has, for
# requests that carry both: a cookie that was renamed from SID to sid counts by the old one as long as it lives.
#
# Seen (each line after #> is compared):
#
#> apache: ID=old; id=new: old
#> apache: ID=old: old
#> apache: id=new: new
#> nginx: ID=old; id=new: old | Tag=old&tag=new: old
#> nginx: ID=old: old | TAG=old: old
#> nginx: id=new: new | tag=new: new

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
    libaprutil1-dbd-sqlite3=1.6.3-1+deb12u1 libaprutil1-ldap=1.6.3-1+deb12u1 libjansson4=2.14-2
    liblua5.3-0=5.3.6-2 nginx=1.22.1-9+deb12u11
)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
LD_LIBRARY_PATH=$(find "$work/tree" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
apache=$(free_port)
nginx=$(free_port)
cat >httpd.conf <<END
ServerRoot "$work"
ServerName shop.test
Listen 127.0.0.1:$apache
PidFile "$work/httpd.pid"
ErrorLog "$work/httpd.errors"
LoadModule mpm_event_module $work/tree/usr/lib/apache2/modules/mod_mpm_event.so
LogFormat "%{Cookie}i: %{id}C" cookie
CustomLog "$work/apache.log" cookie
END
cat >nginx.conf <<END
daemon off;
master_process off;
pid $work/nginx.pid;
events {}
http {
    client_body_temp_path $work/body;
    proxy_temp_path $work/proxy;
    fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi;
    scgi_temp_path $work/scgi;
    log_format names '\$http_cookie: \$cookie_id | \$args: \$arg_tag';
    access_log $work/nginx.log names;
    server {
        listen 127.0.0.1:$nginx;
        return 200 hello;
    }
}
END
tree/usr/sbin/apache2 -X -f "$work/httpd.conf" >httpd.out 2>&1 &
tree/usr/sbin/nginx -e "$work/nginx.errors" -c "$work/nginx.conf" &
cat >ask.py <<'END'
import socket, sys, time

for port in sys.argv[1:]:
    for tag, cookies in (("Tag=old&tag=new", "ID=old; id=new"), ("TAG=old", "ID=old"), ("tag=new", "id=new")):
        for _ in range(1200):
            try:
                one = socket.create_connection(("127.0.0.1", int(port)), timeout=60)
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        with one:
            headers = f"Host: shop.test\r\nCookie: {cookies}\r\nConnection: close"
            one.sendall(f"GET /?{tag} HTTP/1.1\r\n{headers}\r\n\r\n".encode())
            while one.recv(9999):
                pass
END
python3 ask.py "$apache" "$nginx"
for server in apache nginx; do
    for _ in $(seq 1200); do [ "$(wc -l <$server.log)" -lt 3 ] || break; sleep 0.05; done
    sed "s/^/$server: /" $server.log
done >seen

if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
