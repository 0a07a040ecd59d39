#!/usr/bin/env bash
# Python 3.11.2 (Debian 3.11.2-6+deb12u9), its logging.handlers.TimedRotatingFileHandler, with the zones of tzdata 2026.6;
# the program below sets the clock.
#
# Guess: when="midnight" turns the log at midnight; the clocks of Dublin and of London change at the same instants by the
# same hour, so that both have the same files.
#
# In Ireland's law it is winter that is the exception: its summer time is the standard time, and in winter clocks go an
# hour back, which the tables of zones say by a flag that is set in winter (tm_isdst, and dst() is minus one hour). The
# handler takes the flag for "an hour ahead" and corrects its next midnight in the wrong direction. In spring the log of 31
# March is turned at 02:00 of the next day; in autumn that of 27 October is turned at 22:00, and once more at midnight under
# the same name, by which the 23 hours before 22:00 are removed without a word. London's logs are turned at midnight.
#
# Who reads daily logs has two hours of the day in each year's October in Dublin, and two hours of 1 April under 31 March.
#
# Seen (each line after #> is compared; 25 lines were written on the day in October, 23 on that in March):
#
#> Europe/London, March
#>     access.log.2024-03-30: 6 lines, 30 Mar 18:30 to 30 Mar 23:30
#>     access.log.2024-03-31: 23 lines, 31 Mar 00:30 to 31 Mar 23:30
#>     access.log.2024-04-01: 24 lines, 01 Apr 00:30 to 01 Apr 23:30
#>     access.log: 6 lines, 02 Apr 00:30 to 02 Apr 05:30
#>     lost: 0 lines
#> Europe/London, October
#>     access.log.2024-10-26: 6 lines, 26 Oct 18:30 to 26 Oct 23:30
#>     access.log.2024-10-27: 25 lines, 27 Oct 00:30 to 27 Oct 23:30
#>     access.log.2024-10-28: 24 lines, 28 Oct 00:30 to 28 Oct 23:30
#>     access.log: 6 lines, 29 Oct 00:30 to 29 Oct 05:30
#>     lost: 0 lines
#> Europe/Dublin, March
#>     access.log.2024-03-30: 6 lines, 30 Mar 18:30 to 30 Mar 23:30
#>     access.log.2024-03-31: 25 lines, 31 Mar 00:30 to 01 Apr 01:30
#>     access.log.2024-04-01: 22 lines, 01 Apr 02:30 to 01 Apr 23:30
#>     access.log: 6 lines, 02 Apr 00:30 to 02 Apr 05:30
#>     lost: 0 lines
#> Europe/Dublin, October
#>     access.log.2024-10-26: 6 lines, 26 Oct 18:30 to 26 Oct 23:30
#>     access.log.2024-10-27: 2 lines, 27 Oct 22:30 to 27 Oct 23:30
#>     access.log.2024-10-28: 24 lines, 28 Oct 00:30 to 28 Oct 23:30
#>     access.log: 6 lines, 29 Oct 00:30 to 29 Oct 05:30
#>     lost: 23 lines

set -euo pipefail
export LC_ALL=C.UTF-8 PIP_DISABLE_PIP_VERSION_CHECK=1
script=$(realpath "${BASH_SOURCE[0]}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Debian's packages, unpacked in the temporary folder: nothing is installed.
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
version=3.11.2-6+deb12u9
packages=("python3.11-minimal=$version" "libpython3.11-minimal=$version" "libpython3.11-stdlib=$version")
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
python3 -m venv venv
venv/bin/pip install --quiet --no-deps tzdata==2026.6

cat >turn.py <<'PYTHON'
import logging
import logging.handlers
import os
import sys
import tempfile
import time
from datetime import datetime, timezone

now = 0
time.time = lambda: now


def turn(zone, start, hours):
    """Write a line each hour, from a time of UTC on, and show what is in which file."""
    global now
    now = first = int(datetime(*start, 30, tzinfo=timezone.utc).timestamp())
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "access.log")
    open(path, "w").close()
    os.utime(path, (first, first))
    handler = logging.handlers.TimedRotatingFileHandler(path, when="midnight")
    for _ in range(hours):
        line = time.strftime("%d %b %H:%M", time.localtime(now))
        handler.emit(logging.LogRecord("access", logging.INFO, "", 0, line, None, None))
        now += 3600
    handler.close()
    print(f"{zone}, {datetime(*start):%B}")
    kept = 0
    for name in sorted(os.listdir(folder), key=lambda name: (name == "access.log", name)):
        with open(os.path.join(folder, name)) as file:
            lines = file.read().splitlines()
        kept += len(lines)
        print(f"    {name}: {len(lines)} lines, {lines[0]} to {lines[-1]}")
    print(f"    lost: {hours - kept} lines")


for zone in ("Europe/London", "Europe/Dublin"):
    os.environ["TZ"] = f":{sys.argv[1]}/{zone}"
    time.tzset()
    turn(zone, (2024, 3, 30, 18), 59)
    turn(zone, (2024, 10, 26, 17), 61)
PYTHON
PYTHONHOME=$work/tree/usr tree/usr/bin/python3.11 turn.py "$(echo "$work"/venv/lib/python3*/site-packages/tzdata/zoneinfo)" >seen

if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
