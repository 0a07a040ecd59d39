#!/usr/bin/env bash
# Twisted 26.10.0 (twisted.web, Python).
#
# Guess: combinedLogFormatter, its standard, writes the combined log format: the address of the client comes first,
# bare, as in Apache's and nginx's.
#
# The address is in quotes: "127.0.0.1" - - [...]. So the first quoted field, where readers that split at quotes look
# for the request, is the address, and all the others are one further. The time is UTC, whatever zone the process has,
# and the bytes of an empty answer are "-".
#
# Who reads it by a pattern of the combined format has no line at all; who takes the first field as it stands has
# addresses that no list of networks knows.
#
# Seen (each line after #> is compared; the time is left out):
#
#> "127.0.0.1" - - [time +0000] "GET /films?tag=new HTTP/1.1" 200 10 "-" "test" - hours behind the clock of the process: 9
#> "127.0.0.1" - - [time +0000] "GET /empty HTTP/1.1" 200 - "-" "test" - hours behind the clock of the process: 9

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet Twisted==26.10.0

TZ=Asia/Tokyo "$work/venv/bin/python" - "$work" >"$work/seen" <<'PYTHON'
import re
import socket
import sys
import threading
import time

from twisted.internet import reactor
from twisted.web import resource, server

LOG = sys.argv[1] + "/access.log"


class Page(resource.Resource):
    isLeaf = True

    def render_GET(self, request):
        return b"" if request.path == b"/empty" else b"0123456789"


def ask(port):
    for path in ("/films?tag=new", "/empty"):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as one:
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: test\r\nConnection: close\r\n\r\n".encode())
            while one.recv(9999):
                pass
    reactor.callFromThread(reactor.stop)


site = server.Site(Page(), logPath=LOG.encode())
port = reactor.listenTCP(0, site, interface="127.0.0.1").getHost().port
threading.Thread(target=ask, args=(port,), daemon=True).start()
reactor.run()
for line in open(LOG):
    stamp = re.search(r"\[(.*)\]", line)[1]
    age = time.time() - time.mktime(time.strptime(stamp[:20], "%d/%b/%Y:%H:%M:%S"))
    print(line.strip().replace(stamp, "time " + stamp[-5:]), "- hours behind the clock of the process:", round(age / 3600))
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
