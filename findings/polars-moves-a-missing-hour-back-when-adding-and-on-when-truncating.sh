#!/usr/bin/env bash
# polars 2.1.0: two answers to a local time that does not exist.
#
# Guess: a day after 30 March 02:30 in Berlin, where 31 March has no 02:30, is 03:30 (as in PostgreSQL and
# most libraries for dates) or an error.
#
# What happens: offset_by("1d") and datetime_range(interval="1d") give 01:30: an hour back, 23 hours later, where
# 03:30 would be 24. dt.truncate goes the other way: a day of Sao Paulo whose midnight did not exist is
# truncated to 01:00.
#
# Why it matters: "the same time on the next day" as the end of a report's range leaves out an hour of visits
# that no range has, or counts it twice, on one day of the year.
#
# Output seen:
#     offset_by 1d:    03-30T02:30+01:00 -> 03-31T01:30+01:00
#     datetime_range:  03-30T02:30+01:00 03-31T01:30+01:00 04-01T02:30+02:00
#     truncate 1d:     11-04T12:00-02:00 -> 11-04T01:00-02:00
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

FORM = "%m-%dT%H:%M%:z"
start = pl.Series([datetime(2024, 3, 30, 2, 30)]).dt.replace_time_zone("Europe/Berlin")
print("offset_by 1d:   ", start.dt.to_string(FORM)[0], "->", start.dt.offset_by("1d").dt.to_string(FORM)[0])
days = pl.datetime_range(datetime(2024, 3, 30, 2, 30), datetime(2024, 4, 1, 2, 30), "1d", time_zone="Europe/Berlin", eager=True)
print("datetime_range: ", *days.dt.to_string(FORM))
noon = pl.Series([datetime(2018, 11, 4, 12)]).dt.replace_time_zone("America/Sao_Paulo")
print("truncate 1d:    ", noon.dt.to_string(FORM)[0], "->", noon.dt.truncate("1d").dt.to_string(FORM)[0])
END

cat >expected <<'END_OF_EXPECTED'
offset_by 1d:    03-30T02:30+01:00 -> 03-31T01:30+01:00
datetime_range:  03-30T02:30+01:00 03-31T01:30+01:00 04-01T02:30+02:00
truncate 1d:     11-04T12:00-02:00 -> 11-04T01:00-02:00
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
