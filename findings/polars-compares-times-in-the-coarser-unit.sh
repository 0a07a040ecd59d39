#!/usr/bin/env bash
# polars 2.1.0: a time in microseconds equals a later one in milliseconds.
#
# Guess: times of two units are compared exactly, as numpy and Python do: the coarser is made finer.
#
# What happens: both are cut to the coarser unit first. 00:00:00.000500 == 00:00:00.000 is true, > is false,
# their difference is 0, and pl.concat(how="vertical_relaxed") of the two stores milliseconds, so the
# microseconds are gone for good.
#
# Why it matters: logs with milliseconds (JavaScript's, HAProxy's) beside a database's microseconds: "is this
# newer than the last one imported?" says no for up to a millisecond, and rows of both lose their order.
#
# Output seen:
#     polars == True
#     polars >  False
#     polars -  0:00:00
#     concat    Datetime(time_unit='ms', time_zone=None) 00:00:00.000000 00:00:00.000000
#     numpy  == False
#     numpy  >  True
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

late = pl.Series("at", [datetime(2024, 1, 1, 0, 0, 0, 500)], dtype=pl.Datetime("us"))
early = pl.Series("at", [datetime(2024, 1, 1)], dtype=pl.Datetime("ms"))
print("polars ==", (late == early)[0])
print("polars > ", (late > early)[0])
print("polars - ", (late - early)[0])
both = pl.concat([late.to_frame(), early.to_frame()], how="vertical_relaxed")
print("concat   ", both.schema["at"], *both["at"].dt.to_string("%H:%M:%S%.6f"))
print("numpy  ==", (late.to_numpy() == early.to_numpy())[0])
print("numpy  > ", (late.to_numpy() > early.to_numpy())[0])
END

cat >expected <<'END_OF_EXPECTED'
polars == True
polars >  False
polars -  0:00:00
concat    Datetime(time_unit='ms', time_zone=None) 00:00:00.000000 00:00:00.000000
numpy  == False
numpy  >  True
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
