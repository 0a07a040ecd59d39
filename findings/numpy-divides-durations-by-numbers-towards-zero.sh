#!/usr/bin/env bash
# numpy 2.4.6: // of durations rounds down or towards zero, by what stands to the right of it.
#
# Guess: // is floor division for durations as for integers (and for Python's timedelta).
#
# What happens: duration // duration rounds down, and so does a change to a coarser unit; duration // number
# rounds towards zero: -1 s // 2 is 0 s, -1 s // 2 s is -1.
# And of two values the median is rounded down and the 50th percentile up: 1 s and 2 s have the median 1 s and
# the percentile 2 s.
#
# Why it matters: times before a chosen start (or before 1970) are negative: with a number as divisor the two
# buckets around zero become one of double length. And "median time" and "p50" of one report differ.
#
# Output seen:
#     durations         [-3, -1, 1, 3]
#     // 2              [-1, 0, 0, 1]
#     // 2 s            [-2, -1, 0, 1]
#     integers // 2     [-2, -1, 0, 1]
#     median of 1, 2 s  1 seconds
#     percentile 50     2 seconds
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-cache-dir numpy==2.4.6 2>pip.log || { cat pip.log; exit 1; }

venv/bin/python - >seen <<'END'
import numpy as np

seconds = np.array([-3, -1, 1, 3], "m8[s]")
print("durations        ", seconds.astype(int).tolist())
print("// 2             ", (seconds // 2).astype(int).tolist())
print("// 2 s           ", (seconds // np.timedelta64(2, "s")).tolist())
print("integers // 2    ", (seconds.astype(int) // 2).tolist())
two = np.array([1, 2], "m8[s]")
print("median of 1, 2 s ", np.median(two))
print("percentile 50    ", np.percentile(two, 50))
END

cat >expected <<'END_OF_EXPECTED'
durations         [-3, -1, 1, 3]
// 2              [-1, 0, 0, 1]
// 2 s            [-2, -1, 0, 1]
integers // 2     [-2, -1, 0, 1]
median of 1, 2 s  1 seconds
percentile 50     2 seconds
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
