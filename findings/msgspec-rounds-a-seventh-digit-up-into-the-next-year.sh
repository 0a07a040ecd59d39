#!/usr/bin/env bash
# msgspec 0.22.0 beside Python 3.11+'s datetime and polars 2.1.0: more digits than microseconds.
#
# Guess: digits after the sixth are cut off, as datetime.fromisoformat does.
#
# What happens: msgspec rounds, and carries: 2024-12-31T23:59:59.9999999Z is midnight of 2025. In the year
# 9999 the same is an error. Python cuts them off, and so does polars.
#
# Why it matters: logs of .NET have seven digits and those of Go nine. The same event read from a request body
# by msgspec and from a file by polars has two times, and for the last of them two days.
#
# Output seen:
#     2024-08-01T10:00:00.1234567Z
#         msgspec  2024-08-01T10:00:00.123457+00:00
#         datetime 2024-08-01T10:00:00.123456+00:00
#         polars   2024-08-01T10:00:00.123456
#     2024-12-31T23:59:59.9999999Z
#         msgspec  2025-01-01T00:00:00+00:00
#         datetime 2024-12-31T23:59:59.999999+00:00
#         polars   2024-12-31T23:59:59.999999
#     9999-12-31T23:59:59.9999999Z
#         msgspec  ValidationError
#         datetime 9999-12-31T23:59:59.999999+00:00
#         polars   9999-12-31T23:59:59.999999
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-cache-dir msgspec==0.22.0 polars==2.1.0 2>pip.log || { cat pip.log; exit 1; }

venv/bin/python - >seen <<'END'
from datetime import datetime

import msgspec
import polars as pl

def attempt(read, text):
    try:
        return read(text).isoformat()
    except msgspec.ValidationError:
        return "ValidationError"

for text in ("2024-08-01T10:00:00.1234567Z", "2024-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z"):
    print(text)
    print("    msgspec ", attempt(lambda one: msgspec.convert(one, datetime), text))
    print("    datetime", attempt(datetime.fromisoformat, text))
    print("    polars  ", pl.Series([text]).str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us").dt.to_string("%Y-%m-%dT%H:%M:%S%.6f")[0])
END

cat >expected <<'END_OF_EXPECTED'
2024-08-01T10:00:00.1234567Z
    msgspec  2024-08-01T10:00:00.123457+00:00
    datetime 2024-08-01T10:00:00.123456+00:00
    polars   2024-08-01T10:00:00.123456
2024-12-31T23:59:59.9999999Z
    msgspec  2025-01-01T00:00:00+00:00
    datetime 2024-12-31T23:59:59.999999+00:00
    polars   2024-12-31T23:59:59.999999
9999-12-31T23:59:59.9999999Z
    msgspec  ValidationError
    datetime 9999-12-31T23:59:59.999999+00:00
    polars   9999-12-31T23:59:59.999999
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
