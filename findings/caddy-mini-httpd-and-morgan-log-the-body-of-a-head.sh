#!/usr/bin/env bash
# Caddy 2.6.2 (Debian 2.6.2-5), mini_httpd 1.30 (Debian 1.30-3) and morgan 1.12.1 with Express 5.3.0 (npm, run with
# Node.js).
#
# Guess: the answer to a HEAD has no body, so its bytes in a log are 0 or "-", as Apache's and nginx's are.
#
# mini_httpd and morgan log the bytes that a GET would have got. Caddy does one or the other: for a file and for what
# comes from behind it (reverse_proxy) 0, for respond the length of the text that it did not send, in "size".
#
# Who sums bytes: monitors and link checkers ask by HEAD day and night, and look like a good part of the traffic.
#
# Seen (each line after #> is compared):
#
#> mini /film.html GET: sent 10, logged 10
#> mini /film.html HEAD: sent 0, logged 10
#> morgan /film.html GET: sent 10, logged 10
#> morgan /film.html HEAD: sent 0, logged 10
#> caddy /film.html GET: sent 10, logged 10
#> caddy /film.html HEAD: sent 0, logged 0
#> caddy /text GET: sent 10, logged 10
#> caddy /text HEAD: sent 0, logged 10
#> caddy /behind GET: sent 10, logged 10
#> caddy /behind HEAD: sent 0, logged 0

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC NO_UPDATE_NOTIFIER=1
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
packages=(caddy=2.6.2-5 mini-httpd=1.30-3)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done

npm install --silent --no-audit --no-fund --prefix "$work" morgan@1.12.1 express@5.3.0

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
caddy=$(free_port)
mini=$(free_port)
morgan=$(free_port)
mkdir doc
printf '0123456789' >doc/film.html
cat >Caddyfile <<END
{
    admin off
    auto_https off
}
:$caddy {
    bind 127.0.0.1
    log {
        output file $work/caddy.log
        format json
    }
    handle /film.html {
        root * $work/doc
        file_server
    }
    handle /text {
        respond "0123456789"
    }
    handle /behind {
        reverse_proxy 127.0.0.1:$morgan
    }
}
END
XDG_CONFIG_HOME=$work XDG_DATA_HOME=$work tree/usr/bin/caddy run --config Caddyfile --adapter caddyfile 2>caddy.out &
tree/usr/sbin/mini_httpd -D -h 127.0.0.1 -p "$mini" -d "$work/doc" -l "$work/mini.log" 2>mini.out &
cat >shop.mjs <<'END'
import { createWriteStream } from "node:fs";
import express from "express";
import morgan from "morgan";

const shop = express();
shop.use(morgan("combined", { stream: createWriteStream("morgan.log") }));
shop.get(["/film.html", "/behind"], (request, response) => response.type("html").send("0123456789"));
shop.listen(Number(process.argv[2]), "127.0.0.1");
END
node shop.mjs "$morgan" &
cat >ask.py <<'END'
import json, socket, sys, time

ports = dict(zip(("caddy", "mini", "morgan"), map(int, sys.argv[1:])))
for server, path in (("mini", "/film.html"), ("morgan", "/film.html"), ("caddy", "/film.html"), ("caddy", "/text"), ("caddy", "/behind")):
    for method in ("GET", "HEAD"):
        for _ in range(1200):
            try:
                one = socket.create_connection(("127.0.0.1", ports[server]), timeout=60)
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        with one:
            one.sendall(f"{method} {path} HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: test\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while more := one.recv(9999):
                answer += more
        sent = len(answer.split(b"\r\n\r\n", 1)[1])
        logged = None
        for _ in range(1200):
            try:
                lines = open(f"{server}.log").read().splitlines()
            except FileNotFoundError:
                lines = []
            for line in lines:
                if server == "caddy":
                    entry = json.loads(line)
                    if (entry["request"]["method"], entry["request"]["uri"]) == (method, path):
                        logged = entry["size"]
                elif f'"{method} {path} ' in line:
                    logged = line.split('"')[2].split()[1]
            if logged is not None:
                break
            time.sleep(0.05)
        print(f"{server} {path} {method}: sent {sent}, logged {logged}")
END
python3 ask.py "$caddy" "$mini" "$morgan" >seen

if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
