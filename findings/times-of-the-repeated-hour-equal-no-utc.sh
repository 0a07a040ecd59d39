#!/usr/bin/env bash
# Python's datetime and zoneinfo with tzdata 2026.6; pandas 3.1.1 and polars 2.1.0 beside them.
#
# Guess: aware datetimes compare as instants. 02:30 in Berlin, when clocks go back, is equal to itself in UTC; its
# two occurrences (fold 0 and 1), which are an hour apart, are not equal.
#
# Both are the other way round. A datetime whose offset depends on fold, that is one of the repeated or of the
# skipped hour, is unequal to every datetime of another tzinfo, though neither is less and their difference is 0,
# and their hashes are the same: a set keeps both. Within one tzinfo the clock's face is compared, so that the two
# occurrences are equal, and a set keeps one of them. pandas and polars compare instants.
#
# Who deduplicates: asyncpg returns UTC. What was read from it never equals a time parsed in the log's zone for
# one hour of the year, and two visits an hour apart are taken for one.
#
# Seen (each line after #> is compared):
#
#> another hour, and itself in UTC              == True, < False, > False, difference 0:00:00, in a set 1
#> the first 02:30, and itself in UTC           == False, < False, > False, difference 0:00:00, in a set 2
#> the second 02:30, and itself in UTC          == False, < False, > False, difference 0:00:00, in a set 2
#> the skipped 02:30, and itself in UTC         == False, < False, > False, difference 0:00:00, in a set 2
#> the first and the second 02:30               == True, < False, > False, difference 0:00:00, in a set 1
#> both in UTC                                  == False, < True, > False, difference -1 day, 23:00:00, in a set 2
#> hashes of the first and of itself in UTC are equal: True
#> pandas: the first and itself in UTC: True
#> pandas: the first and the second: False
#> polars: distinct of the first, the second, and both in UTC: 2

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-deps tzdata==2026.6 pandas==3.1.1 numpy==2.4.6 python-dateutil==4.0.0 polars==2.1.0 polars-runtime-32==2.1.0

"$work/venv/bin/python" - >"$work/seen" <<'PYTHON'
import zoneinfo
from datetime import datetime, timezone

import pandas as pd
import polars as pl

zoneinfo.reset_tzpath(to=[])
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def compare(name, one, other):
    print(f"{name:44} == {one == other}, < {one < other}, > {one > other}, difference {one - other}, in a set {len({one, other})}")


usual = datetime(2026, 10, 25, 12, 30, tzinfo=BERLIN)
first = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
second = first.replace(fold=1)
skipped = datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN)
compare("another hour, and itself in UTC", usual, usual.astimezone(timezone.utc))
compare("the first 02:30, and itself in UTC", first, first.astimezone(timezone.utc))
compare("the second 02:30, and itself in UTC", second, second.astimezone(timezone.utc))
compare("the skipped 02:30, and itself in UTC", skipped, skipped.astimezone(timezone.utc))
compare("the first and the second 02:30", first, second)
compare("both in UTC", first.astimezone(timezone.utc), second.astimezone(timezone.utc))
print("hashes of the first and of itself in UTC are equal:", hash(first) == hash(first.astimezone(timezone.utc)))
print("pandas: the first and itself in UTC:", pd.Timestamp(first) == pd.Timestamp(first.astimezone(timezone.utc)))
print("pandas: the first and the second:", pd.Timestamp(first) == pd.Timestamp(second))
print("polars: distinct of the first, the second, and both in UTC:", pl.Series([first, second, first.astimezone(timezone.utc), second.astimezone(timezone.utc)], dtype=pl.Datetime("us", "UTC")).n_unique())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
