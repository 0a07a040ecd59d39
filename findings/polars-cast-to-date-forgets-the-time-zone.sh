#!/usr/bin/env bash
# polars 2.1.0: cast(pl.Date) and dt.date() give two dates for one time.
#
# Guess: of a time that knows its zone, cast(pl.Date), cast(pl.Time) and cast(pl.Datetime) give what dt.date(),
# dt.time() and the text of it show: the local date and time.
#
# What happens: the casts take the instant in UTC: date, time and the time without zone are those of UTC. Only
# cast(pl.String) is local. dt.date(), dt.time(), dt.hour(), dt.ordinal_day() are local. Nothing warns.
#
# Why it matters: for a zone east of UTC the visits of each morning land on the day before, in the same query
# in which dt.hour() is right.
#
# Output seen:
#     cast(Date)     2024-01-01
#     dt.date()      2024-01-02
#     cast(Time)     23:30:00
#     dt.time()      08:30:00
#     cast(Datetime) 2024-01-01 23:30:00
#     cast(String)   2024-01-02 08:30:00.000000+09:00
#     dt.hour()      8
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

at = pl.Series([datetime(2024, 1, 1, 23, 30)]).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")
print("cast(Date)    ", at.cast(pl.Date)[0])
print("dt.date()     ", at.dt.date()[0])
print("cast(Time)    ", at.cast(pl.Time)[0])
print("dt.time()     ", at.dt.time()[0])
print("cast(Datetime)", at.cast(pl.Datetime("us"))[0])
print("cast(String)  ", at.cast(pl.String)[0])
print("dt.hour()     ", at.dt.hour()[0])
END

cat >expected <<'END_OF_EXPECTED'
cast(Date)     2024-01-01
dt.date()      2024-01-02
cast(Time)     23:30:00
dt.time()      08:30:00
cast(Datetime) 2024-01-01 23:30:00
cast(String)   2024-01-02 08:30:00.000000+09:00
dt.hour()      8
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
