#!/usr/bin/env bash
# arrow 1.4.0 and pendulum 3.3.0 with tzdata 2026.6 (Python).
#
# Guess: arrow.get(text, tzinfo=zone) is the zone for texts that say none, as pendulum's tz is; or it is the zone in
# which the result is shown, as it is when a number is given. A text that says its offset keeps its instant.
#
# The zone takes the place of the offset: 10:00+02:00 becomes 10:00-04:00, six hours later. So it is with a format, with a
# Z (texts in UTC are an exception by the documentation of tzinfo), and with an aware datetime,
# whose own zone is thrown away; no error, no warning. Of a number of seconds the instant is kept.
#
# Who imports: times of a log read with tzinfo=shop_zone "in case the offset is missing" are off by the difference of the
# zones wherever it is not missing; tests that run with offsets of that same zone pass.
#
# Seen (each line after #> is compared):
#
#> arrow, +02:00                      2024-05-11T10:00:00-04:00 = 14:00 UTC
#> arrow, Z                           2024-05-11T10:00:00-04:00 = 14:00 UTC
#> arrow, a log's time by its format  2024-05-11T10:00:00-04:00 = 14:00 UTC
#> arrow, an aware datetime           2024-05-11T10:00:00-04:00 = 14:00 UTC
#> arrow, seconds since 1970          2024-05-11T04:00:00-04:00 = 08:00 UTC
#> arrow, get().to()                  2024-05-11T04:00:00-04:00 = 08:00 UTC
#> pendulum, +02:00                   2024-05-11T10:00:00+02:00 = 08:00 UTC
#> pendulum, Z                        2024-05-11T10:00:00+00:00 = 10:00 UTC
#> pendulum, by its format            2024-05-11T10:00:00+02:00 = 08:00 UTC

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet arrow==1.4.0 pendulum==3.3.0 tzdata==2026.6

"$work/venv/bin/python" >"$work/seen" <<'PYTHON'
from datetime import datetime, timezone

import arrow
import pendulum

ZONE = "America/New_York"
ISO, UTC, CLF = "2024-05-11T10:00:00+02:00", "2024-05-11T10:00:00Z", "11/May/2024:10:00:00 +0200"


def tell(what, time):
    print(f"{what:34} {time.isoformat()} = {time.astimezone(timezone.utc):%H:%M} UTC")


tell("arrow, +02:00", arrow.get(ISO, tzinfo=ZONE))
tell("arrow, Z", arrow.get(UTC, tzinfo=ZONE))
tell("arrow, a log's time by its format", arrow.get(CLF, "DD/MMM/YYYY:HH:mm:ss Z", tzinfo=ZONE))
tell("arrow, an aware datetime", arrow.get(datetime.fromisoformat(ISO), tzinfo=ZONE))
tell("arrow, seconds since 1970", arrow.get(datetime.fromisoformat(ISO).timestamp(), tzinfo=ZONE))
tell("arrow, get().to()", arrow.get(ISO).to(ZONE))
tell("pendulum, +02:00", pendulum.parse(ISO, tz=ZONE))
tell("pendulum, Z", pendulum.parse(UTC, tz=ZONE))
tell("pendulum, by its format", pendulum.from_format(CLF, "DD/MMM/YYYY:HH:mm:ss ZZ", tz=ZONE))
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
