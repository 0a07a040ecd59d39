#!/usr/bin/env bash
# croniter 7.0.0, cronsim 2.8, APScheduler 3.11.3, cron-converter 2.0.2; clocks of Berlin in 2024.
#
# Guess: each runs a job of "30 2 * * *" once each night, also when 02:30 comes twice or not at all, as cron does; a
# job of every half hour runs every half hour; and for one expression all give the same times.
#
# No two of the four agree on all. When 02:30 comes twice, croniter and APScheduler run the job twice. When it does
# not come, two run it at 03:00, the instant of the change, and two at 03:30. "0 */2 * * *" runs at 03:00 in place of
# 02:00, save with cronsim, which leaves that run out. With "15 2,3 * * *" two run at 03:00 and at 03:15, one only at
# 03:15, and cron-converter runs at 03:15 twice. And with "*/30 * * * *" cron-converter leaves out a whole hour when
# clocks go back, and goes back to 03:00 after 03:30 when they go forward.
#
# Who computes a report each night or sums up each hour needs a job that may run twice or not at all, or UTC.
#
# Seen (each line after #> is compared):
#
#> 30 2 * * * from 27 October 00:00
#>     croniter        27T02:30+02 27T02:30+01
#>     cronsim         27T02:30+02 28T02:30+01
#>     apscheduler     27T02:30+02 27T02:30+01
#>     cron-converter  27T02:30+02 28T02:30+01
#> 30 2 * * * from 31 March 00:00
#>     croniter        31T03:00+02
#>     cronsim         31T03:00+02
#>     apscheduler     31T03:30+02
#>     cron-converter  31T03:30+02
#> 0 */2 * * * from 31 March 00:30
#>     croniter        31T03:00+02 31T04:00+02
#>     cronsim         31T04:00+02 31T06:00+02
#>     apscheduler     31T03:00+02 31T04:00+02
#>     cron-converter  31T03:00+02 31T04:00+02
#> 15 2,3 * * * from 31 March 00:00
#>     croniter        31T03:00+02 31T03:15+02
#>     cronsim         31T03:00+02 31T03:15+02
#>     apscheduler     31T03:15+02 01T02:15+02
#>     cron-converter  31T03:15+02 31T03:15+02
#> */30 * * * * from 27 October 01:15
#>     croniter        27T01:30+02 27T02:00+02 27T02:30+02 27T02:00+01 27T02:30+01 27T03:00+01
#>     cronsim         27T01:30+02 27T02:00+02 27T02:30+02 27T02:00+01 27T02:30+01 27T03:00+01
#>     apscheduler     27T01:30+02 27T02:00+02 27T02:30+02 27T02:00+01 27T02:30+01 27T03:00+01
#>     cron-converter  27T01:30+02 27T02:00+02 27T02:30+02 27T03:00+01 27T03:30+01 27T04:00+01
#> */30 * * * * from 31 March 01:15
#>     croniter        31T01:30+01 31T03:00+02 31T03:30+02 31T04:00+02
#>     cronsim         31T01:30+01 31T03:00+02 31T03:30+02 31T04:00+02
#>     apscheduler     31T01:30+01 31T03:00+02 31T03:30+02 31T04:00+02
#>     cron-converter  31T01:30+01 31T03:00+02 31T03:30+02 31T03:00+02

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet croniter==7.0.0 cronsim==2.8 APScheduler==3.11.3 cron-converter==2.0.2 tzdata==2026.6

"$work/venv/bin/python" >"$work/seen" <<'PYTHON'
from datetime import datetime, timedelta, timezone
from itertools import islice
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from cron_converter import Cron
from croniter import croniter
from cronsim import CronSim

BERLIN = ZoneInfo("Europe/Berlin")


def apscheduler(expression, start):
    """Ask for the next run ten milliseconds after each, as the scheduler does."""
    trigger, run, now = CronTrigger.from_crontab(expression, timezone=BERLIN), None, start.astimezone(timezone.utc)
    while True:
        run = trigger.get_next_fire_time(run, now)
        now = run.astimezone(timezone.utc) + timedelta(milliseconds=10)
        yield run


def cron_converter(expression, start):
    schedule = Cron(expression).schedule(start)
    while True:
        yield schedule.next()


LIBRARIES = {
    "croniter": lambda expression, start: croniter(expression, start).all_next(datetime),
    "cronsim": CronSim,
    "apscheduler": apscheduler,
    "cron-converter": cron_converter,
}
CASES = (
    ("30 2 * * *", datetime(2024, 10, 27, tzinfo=BERLIN), 2),
    ("30 2 * * *", datetime(2024, 3, 31, tzinfo=BERLIN), 1),
    ("0 */2 * * *", datetime(2024, 3, 31, 0, 30, tzinfo=BERLIN), 2),
    ("15 2,3 * * *", datetime(2024, 3, 31, tzinfo=BERLIN), 2),
    ("*/30 * * * *", datetime(2024, 10, 27, 1, 15, tzinfo=BERLIN), 6),
    ("*/30 * * * *", datetime(2024, 3, 31, 1, 15, tzinfo=BERLIN), 4),
)
for expression, start, count in CASES:
    print(f"{expression} from {start:%d %B %H:%M}")
    for name, runs in LIBRARIES.items():
        instants = [run.astimezone(timezone.utc).astimezone(BERLIN) for run in islice(runs(expression, start), count)]
        print(f"    {name:15}", *(f"{run:%dT%H:%M%z}"[:-2] for run in instants))
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
