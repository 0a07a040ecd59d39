#!/usr/bin/env bash
# H2O 2.2.5 (Debian 2.2.5+dfsg2-7): the address in the access log, where the client has gone.
#
# Guess: each line begins with the address of the client, which the server knows since it took the connection.
#
# H2O asks the kernel for the address when it writes the line, after the answer. If the client has reset the connection
# by then, as browsers and players do that leave a download, the kernel has none any more, and the line begins with a
# dash: status 200, some bytes, no visitor.
#
# Who counts visitors or traffic by address: downloads that were broken off are nobody's, and all lie together under "-";
# a reader that wants an address in each line rejects them.
#
# Seen (each line after #> is compared; sizes left out):
#
#> 127.0.0.1 GET /film?whole HTTP/1.1 200
#> - GET /film?reset HTTP/1.1 200
#> 127.0.0.1 GET /page?last HTTP/1.1 200

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
packages=(h2o=2.2.5+dfsg2-7 libh2o-evloop0.13=2.2.5+dfsg2-7 libwslay1)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
libraries=$(find "$work/tree" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir site
echo hello >site/page
head -c 60000000 /dev/zero >site/film
cat >h2o.conf <<END
user: $(id -un)
listen: {host: 127.0.0.1, port: $port}
pid-file: $work/pid
num-threads: 1
hosts:
  default:
    paths:
      "/": {file.dir: $work/site}
access-log: {path: $work/access.log, format: '%h %r %s'}
END
LD_LIBRARY_PATH=$libraries tree/usr/bin/h2o -c h2o.conf >server.out 2>&1 &
server=$!
cat >ask.py <<'END'
import socket, struct, sys, time

for target in ("/film?whole", "/film?reset", "/page?last"):
    for _ in range(1200):
        try:
            one = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60)
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    with one:
        one.sendall(f"GET {target} HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n".encode())
        if target.endswith("reset"):
            one.recv(2000)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            continue
        while one.recv(1 << 20):
            pass
    time.sleep(1)
END
python3 ask.py "$port"
for _ in $(seq 1200); do
    [ "$(wc -l <access.log)" -lt 3 ] || break
    sleep 0.05
done
if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") access.log; then
    echo "changed: lines marked < were seen with the version above" >&2
    exit 1
fi
echo "as found"
