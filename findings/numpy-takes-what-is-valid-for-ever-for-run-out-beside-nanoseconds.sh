#!/usr/bin/env bash
# numpy 2.4.6; pandas 3.1.1, polars 2.1.0 and Python's datetime beside it.
#
# Guess: a day and a time compare by when they are, whatever their units; 31 December 9999, "until further notice", is after
# a time of 2024. If one unit has no room for the other's value, numpy compares in the one that has, or says so.
#
# It compares in the finer unit, without a look whether the value fits: nanoseconds have room for the years 1678 to 2262, and a
# day outside of them wraps round, to any time within. 9999-12-31 becomes a day of 1816 and is before a time of 2024; maximum
# takes the smaller, concatenate keeps the wrapped day, isin finds a day that is not there. No error, no warning; beside
# microseconds all is right. A text with nine digits, as programs in Go log, makes nanoseconds by itself, also of a whole
# array in which only one has them. polars says neither yes nor no, but null, so that filters for "valid" and for "run out"
# find nothing; pandas and Python compare what is meant.
#
# Who asks whether something is still valid: all that is valid "for ever" has run out, for logs with nanoseconds alone.
#
# Seen (each line after #> is compared):
#
#> the units:                               us ns
#> 2260-01-01 > the time, numpy us and ns:  True True
#> 2300-01-01 > the time, numpy us and ns:  True False
#> 2500-01-01 > the time, numpy us and ns:  True False
#> 2600-01-01 > the time, numpy us and ns:  True False
#> 9999-12-31 > the time, numpy us and ns:  True False
#> maximum of 9999-12-31 and the time:      2024-05-11T10:00:00.123456789
#> the larger one by max():                 2024-05-11T10:00:00.123456789
#> concatenate:                             1816-03-29T05:56:08 2024-05-11T10:00:00
#> an array of texts, one with nine digits: 1816-03-29T05:56:08 2024-05-11T10:00:00
#> isin(9999-12-31, [that time]):           [ True]
#> 300 years > 1 ns, as durations:          False
#> pandas:                                  True
#> polars, > and <=:                        None None
#> Python:                                  True

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet numpy==2.4.6 pandas==3.1.1 polars==2.1.0

"$work/venv/bin/python" >"$work/seen" <<'PYTHON'
from datetime import datetime

import numpy as np
import pandas as pd
import polars as pl

AT = "2024-05-11T10:00:00.123456"
MICROS, NANOS = np.datetime64(AT), np.datetime64(AT + "789")


def show(what, *values):
    print(f"{what:40}", *values)


show("the units:", *(np.datetime_data(value.dtype)[0] for value in (MICROS, NANOS)))
for text in ("2260-01-01", "2300-01-01", "2500-01-01", "2600-01-01", "9999-12-31"):
    day = np.datetime64(text)
    show(f"{text} > the time, numpy us and ns:", day > MICROS, day > NANOS)
day = np.datetime64("9999-12-31")
show("maximum of 9999-12-31 and the time:", np.maximum(day, NANOS))
show("the larger one by max():", max([day, NANOS]))
show("concatenate:", *np.concatenate([[day], [NANOS]]).astype("M8[s]"))
show("an array of texts, one with nine digits:", *np.array(["9999-12-31", AT + "789"], "M8").astype("M8[s]"))
wrapped = day.astype("M8[ns]")
show("isin(9999-12-31, [that time]):", np.isin([day], [wrapped]))
show("300 years > 1 ns, as durations:", np.timedelta64(300 * 365, "D") > np.timedelta64(1, "ns"))
show("pandas:", bool(pd.Series([day.item()]).astype("M8[s]")[0] > pd.Timestamp(AT + "789")))
frame = pl.DataFrame({"day": [day.item()], "at": pl.Series([int(NANOS.astype(int))]).cast(pl.Datetime("ns"))})
show("polars, > and <=:", *frame.select(pl.col("day") > pl.col("at"), late=pl.col("day") <= pl.col("at")).row(0))
show("Python:", day.item() > datetime.fromisoformat(AT).date())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
