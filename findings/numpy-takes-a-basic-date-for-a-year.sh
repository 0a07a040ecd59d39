#!/usr/bin/env bash
# numpy 2.4.6, and Python's datetime beside it.
#
# Guess: "20240511", the basic form of a date in ISO 8601, is 11 May 2024 for a reader of ISO 8601 dates, as it is for
# datetime.fromisoformat; or it is an error, as "20240511T100000" is.
#
# It is the first day of the year 20240511. As days or seconds it stays there. Microseconds and nanoseconds have no room
# for that year, and it wraps round without an error or a warning: as nanoseconds, which pandas has long used, 11, 12 and
# 13 May 2024 become days in September of the years 2080, 2081 and 2082. Seconds since 1970 in a text are a year too.
#
# Who reads dates of file names (access.log-20240511) or of a column that way has dates that look like dates, in order,
# a year apart; a check for NaT or for an order of time passes.
#
# Seen (each line after #> is compared):
#
#> datetime  2024-05-11 2024-05-12 2024-05-13
#> as it is  np.datetime64('20240511') np.datetime64('20240512') np.datetime64('20240513')
#> M8[D]     20240511-01-01 20240512-01-01 20240513-01-01
#> M8[s]     20240511-01-01T00:00:00 20240512-01-01T00:00:00 20240513-01-01T00:00:00
#> M8[us]    -218881-04-12T06:56:05.693440 -218880-04-11T06:56:05.693440 -218879-04-12T06:56:05.693440
#> M8[ns]    2080-09-14T14:40:27 2081-09-14T14:40:27 2082-09-15T14:40:27
#> seconds   1715421600-01-01T00:00:00 2147-04-01T11:46:11.437821952
#> 20240511T100000 ValueError
#> 20240511T10 ValueError

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet numpy==2.4.6

"$work/venv/bin/python" -W error >"$work/seen" <<'PYTHON'
from datetime import datetime

import numpy as np

BASIC = ["20240511", "20240512", "20240513"]
print("datetime ", *(datetime.fromisoformat(text).date() for text in BASIC))
print("as it is ", *(f"{day!r}" for day in map(np.datetime64, BASIC)))
for unit in ("D", "s", "us", "ns"):
    print(f"M8[{unit}]".ljust(9), *(str(time)[:-10] if unit == "ns" else time for time in np.array(BASIC).astype(f"M8[{unit}]")))
print("seconds  ", np.array(["1715421600"]).astype("M8[s]")[0], np.array(["1715421600"]).astype("M8[ns]")[0])
for text in ("20240511T100000", "20240511T10"):
    try:
        print(text, np.datetime64(text))
    except ValueError as error:
        print(text, type(error).__name__)
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
