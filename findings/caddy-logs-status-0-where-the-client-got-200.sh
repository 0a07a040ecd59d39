#!/usr/bin/env bash
# Caddy 2.6.2 (Debian 2.6.2-5): the status of an answer that no handler wrote is 0 in the access log.
#
# Guess: `status` is what the client got.
#
# Where no handler of a site answers (a path that no `route` takes, say), Caddy sends an empty 200 by itself,
# and logs "status": 0. An answer that a handler wrote is logged as it was sent, an empty one too.
#
# Why it matters: a reader of logs that takes statuses of 100 to 599 rejects these lines; one that counts
# successes misses requests whose clients saw a 200.
#
# Seen (each line after #> is compared):
#
#> path      status at the client  status in the log  size in the log
#> /text     200                   200                5
#> /empty    200                   200                0
#> /nothing  200                   0                  0
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
packages=(caddy=2.6.2-5)
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
cat >Caddyfile <<END
{
    admin off
    auto_https off
}
:$port {
    bind 127.0.0.1
    log {
        output file $work/access.log
        format json
    }
    route /text {
        respond "hello"
    }
    route /empty {
        respond "" 200
    }
}
END
tree/usr/bin/caddy run --config Caddyfile --adapter caddyfile >server.out 2>&1 &
server=$!
wait_for_server
cat >client.py <<'END'
"""Asks for three paths, waits until they are logged, and tells what both sides saw."""
import http.client, json, sys, time

PATHS = ("/text", "/empty", "/nothing")
seen = {}
for path in PATHS:
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
    connection.request("GET", path)
    seen[path] = connection.getresponse().status
    connection.close()
for _ in range(1200):
    with open("access.log") as log:
        lines = {line["request"]["uri"]: line for line in map(json.loads, log)}
    if len(lines) == len(PATHS):
        break
    time.sleep(0.05)
print("path      status at the client  status in the log  size in the log")
for path in PATHS:
    print(f"{path:9} {seen[path]:<21} {lines[path]['status']:<18} {lines[path]['size']}")
END
python3 client.py "$port" >seen
kill "$server"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "$self") seen; then
    echo "changed: lines marked < were seen with the version above" >&2
    exit 1
fi
echo "as found"
