#!/usr/bin/env bash
# nginx 1.22.1 (Debian 1.22.1-9+deb12u11).
#
# Guess: access_log logs/$host.log writes each request to the log of its host, as access_log logs/all.log writes each to
# one; where the files of a site are has nothing to do with it, least of all for a proxy that has none.
#
# With a variable in the log's name nginx looks before each line whether the folder of root is there, and if it is not the
# line is not written. A proxy needs no root and seldom has one; then it is the folder "html" of nginx's prefix, which
# need not be there. So no request of a proxy is in such a log, while the answers are right and a log without a variable
# has all; the error log has a line for each. In a site whose files are there, a location with another root that is not
# there has its requests left out.
#
# Who splits logs by host or by day ($time_iso8601 in a map) has sites that nobody visits: the ones behind the proxy.
#
# Seen (each line after #> is compared):
#
#> no folder html in the prefix:
#>     proxy.test /films hello
#>     proxy.test /cart hello
#>     site.test /films hello
#>     site.test /files/a hello
#>     logs/all: proxy.test /films 200,proxy.test /cart 200,site.test /films 200,site.test /files/a 200
#>     logs/of-site.test: site.test /films 200
#> an empty folder html in the prefix:
#>     proxy.test /films hello
#>     proxy.test /cart hello
#>     site.test /films hello
#>     site.test /files/a hello
#>     logs/all: proxy.test /films 200,proxy.test /cart 200,site.test /films 200,site.test /files/a 200
#>     logs/of-proxy.test: proxy.test /films 200,proxy.test /cart 200
#>     logs/of-site.test: site.test /films 200
#> lines in the error log: 4

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
packages=(nginx=1.22.1-9+deb12u11)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done

# The proxy passes requests on to a server of the same process, over a socket.
mkdir logs site prefix
scheme=http
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
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
    log_format request '\$host \$request_uri \$status';
    access_log $work/logs/all request;
    access_log $work/logs/of-\$host request;
    server {
        listen unix:$work/shop;
        access_log off;
        return 200 hello;
    }
    server {
        listen 127.0.0.1:$port;
        server_name proxy.test;
        location / { proxy_pass $scheme://unix:$work/shop; }
    }
    server {
        listen 127.0.0.1:$port;
        server_name site.test;
        root $work/site;
        location / { return 200 hello; }
        location /files/ { root $work/gone; return 200 hello; }
    }
}
END
cat >ask.py <<'END'
import http.client
import sys
import time

for host, path in (("proxy.test", "/films"), ("proxy.test", "/cart"), ("site.test", "/films"), ("site.test", "/files/a")):
    for _ in range(1200):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
            connection.request("GET", path, headers={"Host": host})
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    print(f"    {host} {path}", connection.getresponse().read().decode())
    connection.close()
END
run() {
    echo "$1:"
    tree/usr/sbin/nginx -p "$work/prefix" -e "$work/errors" -c "$work/nginx.conf" &
    python3 ask.py "$port"
    kill -QUIT $!
    wait $!
    for log in logs/*; do echo "    $log: $(paste -sd, "$log")"; done
    rm -f logs/*
}
{
    run "no folder html in the prefix"
    mkdir prefix/html
    run "an empty folder html in the prefix"
    echo "lines in the error log: $(grep -c 'existence failed' errors)"
} >seen

if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
