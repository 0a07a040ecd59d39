#!/usr/bin/env bash
# pendulum 3.3.0 with tzdata 2026.6 (Python).
#
# Guess: an interval's days, in_days() and in_words() tell the same length: a full day is 1, 1 and "1 day", and what is
# less is 0, 0 and some hours. And start + (end - start) is end.
#
# Over a change of clocks each counts in its own way: in_days() by the calendar, days by 24 hours that have passed,
# in_words by the difference of the clocks, save within one date. 24 hours from a midnight are no day, one day and "1
# day"; from noon to 11:30 of the next, when clocks go forward, one day, none and "23 hours 30 minutes", of which 22:30
# have passed. Added to its start the interval leads up to an hour past its end.
#
# Who bills or limits by days has to name which; who stores (start, length) in place of (start, end) gets another end.
#
# Seen (each line after #> is compared):
#
#> Europe/Berlin
#> 27 00:00+0200 to 27 23:00+0100, 24 hours
#>     in_days() 0, days 1, "1 day", start + length = 28 00:00+0100
#> 26 12:00+0200 to 27 11:00+0100, 24 hours
#>     in_days() 1, days 1, "23 hours", start + length = 27 10:00+0100
#> 30 12:00+0100 to 31 12:00+0200, 23 hours
#>     in_days() 1, days 0, "1 day", start + length = end
#> 30 12:00+0100 to 31 11:30+0200, 22.5 hours
#>     in_days() 1, days 0, "23 hours 30 minutes", start + length = 31 12:30+0200
#> UTC
#> 27 00:00+0000 to 28 00:00+0000, 24 hours
#>     in_days() 1, days 1, "1 day", start + length = end
#> 26 12:00+0000 to 27 12:00+0000, 24 hours
#>     in_days() 1, days 1, "1 day", start + length = end
#> 30 12:00+0000 to 31 12:00+0000, 24 hours
#>     in_days() 1, days 1, "1 day", start + length = end
#> 30 12:00+0000 to 31 10:30+0000, 22.5 hours
#>     in_days() 1, days 0, "22 hours 30 minutes", start + length = end

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet pendulum==3.3.0 tzdata==2026.6

"$work/venv/bin/python" >"$work/seen" <<'PYTHON'
import pendulum

BERLIN = "Europe/Berlin"


def tell(start, end):
    length = end - start
    print(f"{start:%d %H:%M%z} to {end:%d %H:%M%z}, {(end.timestamp() - start.timestamp()) / 3600:g} hours")
    again = start + length
    print(f'    in_days() {length.in_days()}, days {length.days}, "{length.in_words()}", start + length', "= end" if again == end else f"= {again:%d %H:%M%z}")


for zone in (BERLIN, "UTC"):
    print(zone)
    midnight, noon = pendulum.datetime(2024, 10, 27, tz=zone), pendulum.datetime(2024, 10, 26, 12, tz=zone)
    spring = pendulum.datetime(2024, 3, 30, 12, tz=zone)
    tell(midnight, midnight.add(hours=24))
    tell(noon, noon.add(hours=24))
    tell(spring, spring.add(days=1))
    tell(spring, spring.add(hours=22, minutes=30))
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
