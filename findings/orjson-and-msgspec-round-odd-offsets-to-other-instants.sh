#!/usr/bin/env bash
# orjson 3.13.0 and msgspec 0.22.0 (tzdata 2026.6): times whose offset has seconds change when written.
#
# Guess: either the offset is written with its seconds, as isoformat() does, or the time is moved along with
# the shortened offset, so that the text still names the same instant.
#
# What happens: both shorten the offset to minutes and leave the clock time alone, so the instant is up to 30
# seconds off; and for half a minute they round in different directions: Liberia's -00:44:30 (until 1972) is
# -00:45 for orjson and -00:44 for msgspec, a minute apart.
#
# Why it matters: any zone has such an offset before its standard time ("0001-01-01 local" as a lower limit is
# the usual case), and a round trip by either library does not give an equal time back.
#
# Output seen:
#     isoformat 1971-06-01T00:00:00-00:44:30
#     orjson    1971-06-01T00:00:00-00:45 is +30 s
#     msgspec   1971-06-01T00:00:00-00:44 is -30 s
#     isoformat 1890-06-01T00:00:00+00:17:30
#     orjson    1890-06-01T00:00:00+00:18 is -30 s
#     msgspec   1890-06-01T00:00:00+00:17 is +30 s
#     isoformat 1850-06-01T00:00:00-04:56:02
#     orjson    1850-06-01T00:00:00-04:56 is -2 s
#     msgspec   1850-06-01T00:00:00-04:56 is -2 s
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-cache-dir orjson==3.13.0 msgspec==0.22.0 tzdata==2026.6 2>pip.log || { cat pip.log; exit 1; }

PYTHONTZPATH='' venv/bin/python - >seen <<'END'
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import orjson

for zone, year in (("Africa/Monrovia", 1971), ("Europe/Amsterdam", 1890), ("America/New_York", 1850)):
    at = datetime(year, 6, 1, tzinfo=ZoneInfo(zone))
    print("isoformat", at.isoformat())
    for name, text in (("orjson", orjson.dumps(at)), ("msgspec", msgspec.json.encode(at))):
        back = msgspec.json.decode(text, type=datetime)
        print(f"{name:9} {orjson.loads(text)} is {(back - at).total_seconds():+.0f} s")
END

cat >expected <<'END_OF_EXPECTED'
isoformat 1971-06-01T00:00:00-00:44:30
orjson    1971-06-01T00:00:00-00:45 is +30 s
msgspec   1971-06-01T00:00:00-00:44 is -30 s
isoformat 1890-06-01T00:00:00+00:17:30
orjson    1890-06-01T00:00:00+00:18 is -30 s
msgspec   1890-06-01T00:00:00+00:17 is +30 s
isoformat 1850-06-01T00:00:00-04:56:02
orjson    1850-06-01T00:00:00-04:56 is -2 s
msgspec   1850-06-01T00:00:00-04:56 is -2 s
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
