#!/usr/bin/env bash
# polars 2.1.0: dt.truncate and group_by_dynamic disagree on a day whose midnight comes twice.
#
# Guess: dt.truncate("1d") gives one value for all the times of one local date, "1mo" one for a month, and
# group_by_dynamic with the same window makes the same groups.
#
# What happens: in Havana the clocks go back from 01:00 to 00:00. Times before that change are truncated to
# the first midnight (-04:00), all later ones of the same date to the second (-05:00): grouped by the
# truncated time, the day has two rows, with equal names when they are shown without their offsets. In 2020
# the change was on 1 November, so "1mo" splits the whole month as well. group_by_dynamic makes one group.
#
# Why it matters: a chart per day or month in the visitors' own zone has one bar too many there, once a year;
# no test in Berlin or New York shows it, since their clocks never change at midnight.
#
# Output seen:
#     visits: 11-01T00:30-04:00 11-01T00:30-05:00 11-01T12:00-05:00 11-20T12:00-05:00
#     1d truncate 11-01T00:00-04:00 x1 11-01T00:00-05:00 x2 11-20T00:00-05:00 x1
#     1d group_by_dynamic 11-01T00:00-04:00 x3 11-20T00:00-05:00 x1
#     1mo truncate 11-01T00:00-04:00 x1 11-01T00:00-05:00 x3
#     1mo group_by_dynamic 11-01T00:00-04:00 x4
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

TIMES = [datetime(2020, 11, 1, 4, 30), datetime(2020, 11, 1, 5, 30), datetime(2020, 11, 1, 17), datetime(2020, 11, 20, 17)]
visits = pl.DataFrame({"at": TIMES}).with_columns(
    pl.col("at").dt.replace_time_zone("UTC").dt.convert_time_zone("America/Havana")
)
print("visits:", *visits["at"].dt.to_string("%m-%dT%H:%M%:z"))
for every in ("1d", "1mo"):
    truncated = visits.group_by(pl.col("at").dt.truncate(every), maintain_order=True).len()
    windows = visits.group_by_dynamic("at", every=every).agg(pl.len())
    for name, rows in (("truncate", truncated), ("group_by_dynamic", windows)):
        print(every, name, *(f"{at} x{n}" for at, n in zip(rows["at"].dt.to_string("%m-%dT%H:%M%:z"), rows["len"])))
END

cat >expected <<'END_OF_EXPECTED'
visits: 11-01T00:30-04:00 11-01T00:30-05:00 11-01T12:00-05:00 11-20T12:00-05:00
1d truncate 11-01T00:00-04:00 x1 11-01T00:00-05:00 x2 11-20T00:00-05:00 x1
1d group_by_dynamic 11-01T00:00-04:00 x3 11-20T00:00-05:00 x1
1mo truncate 11-01T00:00-04:00 x1 11-01T00:00-05:00 x3
1mo group_by_dynamic 11-01T00:00-04:00 x4
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
