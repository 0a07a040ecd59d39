#!/usr/bin/env bash
# polars 2.1.0: making a series of times denser can lose rows.
#
# Guess: upsample(every="1h") adds the hours that are missing and keeps all the rows there are.
#
# What happens: it makes the times from the first one on, an hour apart, and takes over only rows that stand
# exactly at one of them. A row at 02:30 is gone, values and all; the sum of the column is smaller than before.
# The steps count from the first row, so with a first row at 00:15 only rows at a quarter past are kept.
#
# Why it matters: it is the way to fill a chart's empty hours; on counts per event instead of per whole hour
# it throws most of them away, without a word.
#
# Output seen:
#     before 00:00 1 01:00 10 02:30 100 sum 111
#     after  00:00 1 01:00 10 02:00 None sum 11
#     before 00:15 1 01:00 10 02:30 100 sum 111
#     after  00:15 1 01:15 None 02:15 None sum 1
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-cache-dir polars==2.1.0 2>pip.log || { cat pip.log; exit 1; }

venv/bin/python - >seen <<'END'
from datetime import datetime

import polars as pl

for minute in (0, 15):
    hits = pl.DataFrame({"at": [datetime(2024, 8, 1, 0, minute), datetime(2024, 8, 1, 1, 0), datetime(2024, 8, 1, 2, 30)], "hits": [1, 10, 100]})
    dense = hits.upsample("at", every="1h")
    print("before", *(f"{at:%H:%M} {n}" for at, n in hits.rows()), "sum", hits["hits"].sum())
    print("after ", *(f"{at:%H:%M} {n}" for at, n in dense.rows()), "sum", dense["hits"].sum())
END

cat >expected <<'END_OF_EXPECTED'
before 00:00 1 01:00 10 02:30 100 sum 111
after  00:00 1 01:00 10 02:00 None sum 11
before 00:15 1 01:00 10 02:30 100 sum 111
after  00:15 1 01:15 None 02:15 None sum 1
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
