#!/usr/bin/env bash
# arrow 1.4.0 and, beside it, pendulum 3.3.0 with tzdata 2026.6 (Python).
#
# Guess: shift(days=1) is the same clock time of the next day, but shift(minutes=5) is five minutes later, as it is in
# pendulum, and the difference of the two says so.
#
# All units are added to the clock. Where clocks go back (Berlin, 27 October 2024, 02:30 comes twice), five minutes
# after the second 02:30 are 02:35 of the first hour, 55 minutes earlier; half an hour after the first 02:30 is 03:00,
# an hour and a half later. Subtraction measures by the clock as well and says five minutes, and half an hour. Where
# they go forward, two hours after midnight and three hours after it are one instant. floor("hour") of the second 02:30
# is the first 02:00, and Arrow.range and span_range leave the second hour out, so that the day of 25 hours has 24.
#
# Who polls with "since = last.shift(minutes=5)" reads an hour twice; who counts by Arrow.range("hour") has no place for
# what happened in the second hour. UTC has neither.
#
# Seen (each line after #> is compared):
#
#> the second 02:30, shift(minutes=5)   02:35+0200  elapsed -55 minutes, subtracted 5
#> the second 02:30, shift(minutes=-45) 01:45+0200  elapsed -105 minutes, subtracted -45
#> the first 02:30, shift(minutes=30)   03:00+0100  elapsed 90 minutes, subtracted 30
#> the second 02:30, floor("hour")      02:00+0200  elapsed -90 minutes, subtracted -30
#> pendulum, five minutes after it      02:35+0100
#> midnight in spring, shift(hours=1)   01:00+0100  elapsed 60 minutes, subtracted 60
#> midnight in spring, shift(hours=2)   03:00+0200  elapsed 120 minutes, subtracted 180
#> midnight in spring, shift(hours=3)   03:00+0200  elapsed 120 minutes, subtracted 180
#> midnight in spring, shift(hours=4)   04:00+0200  elapsed 180 minutes, subtracted 240
#> 2024-10-27 has 25 hours, in Arrow.range 24
#> 2024-03-31 has 23 hours, in Arrow.range 23

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet arrow==1.4.0 pendulum==3.3.0 tzdata==2026.6

"$work/venv/bin/python" >"$work/seen" <<'PYTHON'
import arrow
import pendulum

BERLIN = "Europe/Berlin"


def tell(what, before, after):
    elapsed = round((after.timestamp() - before.timestamp()) / 60)
    print(f"{what:36} {after:HH:mmZ}  elapsed {elapsed} minutes, subtracted {round((after - before).total_seconds() / 60)}")


first, second = (arrow.get(f"2024-10-27T0{hour}:30Z").to(BERLIN) for hour in (0, 1))
tell("the second 02:30, shift(minutes=5)", second, second.shift(minutes=5))
tell("the second 02:30, shift(minutes=-45)", second, second.shift(minutes=-45))
tell("the first 02:30, shift(minutes=30)", first, first.shift(minutes=30))
tell('the second 02:30, floor("hour")', second, second.floor("hour"))
later = pendulum.instance(second.datetime).add(minutes=5)
print(f"{'pendulum, five minutes after it':36} {later:%H:%M%z}")
for hours in (1, 2, 3, 4):
    midnight = arrow.get("2024-03-31T00:00", tzinfo=BERLIN)
    tell(f"midnight in spring, shift(hours={hours})", midnight, midnight.shift(hours=hours))
for day in ("2024-10-27", "2024-03-31"):
    start, end = arrow.get(day, tzinfo=BERLIN).span("day")
    hours = round((end.timestamp() - start.timestamp()) / 3600)
    print(f"{day} has {hours} hours, in Arrow.range {len(list(arrow.Arrow.range('hour', start, end)))}")
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
