#!/usr/bin/env bash
# numpy 2.4.6, polars 2.1.0, DuckDB 2.0.1 and pandas 3.1.1.
#
# Guess: a week begins on Monday, as ISO 8601 says, or in an American library on Sunday. Seven days are a week, wherever
# time is cut into pieces, and fortnights are the same in all, since each is two of the weeks that all have.
#
# numpy's weeks begin on Thursday, the weekday of 1 January 1970. So do polars' pieces of "7d", while those of "1w" begin on
# Monday; "2w" and "14d" are ten days apart. DuckDB counts weeks and days alike from a Monday in 2000, so that its fortnights
# begin in just the weeks in which polars' do not. In pandas they begin with the week of the first row, so that data that
# reach back a week further have others, and a Period of two weeks begins in each week, so that they overlap.
#
# Who counts by weeks or fortnights in one of these and compares with another compares different days; the totals agree.
#
# Seen (each line after #> is compared):
#
#> The piece in which Saturday, 11 May 2024, lies begins on:
#> numpy M8[1W]                             Thu 09 May
#> numpy M8[7D]                             Thu 09 May
#> polars truncate 1w                       Mon 06 May
#> polars truncate 7d                       Thu 09 May
#> DuckDB time_bucket 1 weeks               Mon 06 May
#> DuckDB time_bucket 7 days                Mon 06 May
#> pandas Period 1W                         Mon 06 May
#> pandas resample 1W, data from 29 Apr     Mon 06 May
#> pandas resample 1W, data from 06 May     Mon 06 May
#> numpy M8[2W]                             Thu 09 May
#> numpy M8[14D]                            Thu 09 May
#> polars truncate 2w                       Mon 29 Apr
#> polars truncate 14d                      Thu 09 May
#> DuckDB time_bucket 2 weeks               Mon 06 May
#> DuckDB time_bucket 14 days               Mon 06 May
#> pandas Period 2W                         Mon 06 May
#> pandas resample 2W, data from 29 Apr     Mon 06 May
#> pandas resample 2W, data from 06 May     Mon 29 Apr
#> pandas Period 2W of 11 May: 06 May to 19 May
#> pandas Period 2W of 18 May: 13 May to 26 May

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet numpy==2.4.6 polars==2.1.0 duckdb==2.0.1 pandas==3.1.1

"$work/venv/bin/python" >"$work/seen" <<'PYTHON'
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import polars as pl

DAY = date(2024, 5, 11)


def show(what, begins):
    print(f"{what:40} {begins:%a %d %b}")


print(f"The piece in which {DAY:%A, %d %B %Y}, lies begins on:")
for weeks in (1, 2):
    for unit in (f"{weeks}W", f"{weeks * 7}D"):
        show(f"numpy M8[{unit}]", np.datetime64(DAY).astype(f"M8[{unit}]").astype("M8[D]").item())
    for every in (f"{weeks}w", f"{weeks * 7}d"):
        show(f"polars truncate {every}", pl.Series([DAY]).dt.truncate(every)[0])
    for interval in (f"{weeks} weeks", f"{weeks * 7} days"):
        show(f"DuckDB time_bucket {interval}", duckdb.sql(f"SELECT time_bucket(INTERVAL '{interval}', DATE '{DAY}')").fetchall()[0][0])
    show(f"pandas Period {weeks}W", pd.Period(DAY, f"{weeks}W").start_time)
    for first in (date(2024, 4, 29), date(2024, 5, 6)):
        days = pd.Series(1, index=pd.date_range(first, DAY))
        pieces = days.resample(f"{weeks}W").sum()
        last = pieces.index[-1] - timedelta(days=7 * weeks - 1)
        show(f"pandas resample {weeks}W, data from {first:%d %b}", last)
for day in (DAY, DAY + timedelta(days=7)):
    period = pd.Period(day, "2W")
    print(f"pandas Period 2W of {day:%d %b}: {period.start_time:%d %b} to {period.end_time:%d %b}")
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
