#!/usr/bin/env bash
# polars 2.1.0.
#
# Guess: dt.round("1mo") gives the nearest first of a month, dt.round("1y") the nearest first of January, as round("1d")
# and round("1w") give the nearest midnight and the nearest Monday.
#
# Half a month is 14 days, whichever month it is, and half a year is twelve times that, 168 days; a time is rounded up if
# adding that leads into the next month or year. So in a month of 31 days noon of the 16th is the middle, and the 17th is
# rounded down; a year is rounded up from 17 July on, a fortnight late, a quarter from the 18th to the 20th of its second
# month. February without a leap day is right.
#
# Who counts by rounded months or years: days near the middle are on the wrong side, a fortnight of each year.
#
# Seen (each line after #> is compared; the second time is the first one that is rounded up):
#
#> 1w  of 2024-05-06: the middle is 2024-05-09 12:00, up from 2024-05-09 12:00
#> 1mo of 2023-01-01: the middle is 2023-01-16 12:00, up from 2023-01-18 00:00
#> 1mo of 2023-02-01: the middle is 2023-02-15 00:00, up from 2023-02-15 00:00
#> 1mo of 2023-03-01: the middle is 2023-03-16 12:00, up from 2023-03-18 00:00
#> 1mo of 2023-04-01: the middle is 2023-04-16 00:00, up from 2023-04-17 00:00
#> 1q  of 2023-01-01: the middle is 2023-02-15 00:00, up from 2023-02-18 00:00
#> 1q  of 2023-04-01: the middle is 2023-05-16 12:00, up from 2023-05-20 00:00
#> 1q  of 2023-07-01: the middle is 2023-08-16 00:00, up from 2023-08-20 00:00
#> 1q  of 2023-10-01: the middle is 2023-11-16 00:00, up from 2023-11-20 00:00
#> 1y  of 2023-01-01: the middle is 2023-07-02 12:00, up from 2023-07-17 00:00
#> 1y  of 2024-01-01: the middle is 2024-07-02 00:00, up from 2024-07-17 00:00

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet polars==2.1.0

"$work/venv/bin/python" >"$work/seen" <<'PYTHON'
from datetime import datetime

import polars as pl

for every, firsts in {
    "1w": [(2024, 5, 6), (2024, 5, 13)],
    "1mo": [(2023, month, 1) for month in (1, 2, 3, 4, 5)],
    "1q": [(2023, month, 1) for month in (1, 4, 7, 10)] + [(2024, 1, 1)],
    "1y": [(year, 1, 1) for year in (2023, 2024, 2025)],
}.items():
    for first, after in zip(firsts, firsts[1:]):
        start, end = datetime(*first), datetime(*after)
        times = pl.datetime_range(start, end, "1h", closed="left", eager=True).alias("at")
        rounded_up = times.filter(times.dt.round(every) > start)
        print(f"{every:3} of {start:%Y-%m-%d}: the middle is {start + (end - start) / 2:%Y-%m-%d %H:%M}, up from {rounded_up.min():%Y-%m-%d %H:%M}")
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
