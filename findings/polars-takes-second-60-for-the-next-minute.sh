#!/usr/bin/env bash
# polars 2.1.0: a time with the second 60 is read as the next minute, at any time of any day.
#
# Guess: ":60" is null with strict=False, as it is an error for Python and numpy, which polars works beside.
#
# What happens: str.to_datetime takes it and gives the second 00 of the next minute, at midnight of the next
# day or year; not only where a leap second was. ":61" is null, and str.to_time(":60") is null too.
#
# Why it matters: the same line is a visit in the new year for polars, and no line at all for datetime.strptime,
# so two ways to read one log (a quick one and one by line) do not agree on the count.
#
# Output seen:
#     polars to_datetime 31/Dec/2016:23:59:60 +0000 -> 2017-01-01 00:00:00.000000+00:00
#     polars to_datetime 01/Aug/2024:10:15:60 +0000 -> 2024-08-01 10:16:00.000000+00:00
#     polars to_datetime 01/Aug/2024:10:15:61 +0000 -> None
#     polars to_time     23:59:60 -> None
#     strptime ValueError
#     numpy ValueError
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-cache-dir polars==2.1.0 numpy==2.4.6 2>pip.log || { cat pip.log; exit 1; }

venv/bin/python - >seen <<'END'
from datetime import datetime

import numpy as np
import polars as pl

FORM = "%d/%b/%Y:%H:%M:%S %z"
TEXTS = ["31/Dec/2016:23:59:60 +0000", "01/Aug/2024:10:15:60 +0000", "01/Aug/2024:10:15:61 +0000"]
for text, value in zip(TEXTS, pl.Series(TEXTS).str.to_datetime(FORM, strict=False).cast(pl.String)):
    print("polars to_datetime", text, "->", value)
print("polars to_time     23:59:60 ->", pl.Series(["23:59:60"]).str.to_time("%H:%M:%S", strict=False)[0])
for name, read in (("strptime", lambda: datetime.strptime(TEXTS[0], FORM)), ("numpy", lambda: np.datetime64("2016-12-31T23:59:60"))):
    try:
        print(name, read())
    except ValueError:
        print(name, "ValueError")
END

cat >expected <<'END_OF_EXPECTED'
polars to_datetime 31/Dec/2016:23:59:60 +0000 -> 2017-01-01 00:00:00.000000+00:00
polars to_datetime 01/Aug/2024:10:15:60 +0000 -> 2024-08-01 10:16:00.000000+00:00
polars to_datetime 01/Aug/2024:10:15:61 +0000 -> None
polars to_time     23:59:60 -> None
strptime ValueError
numpy ValueError
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
