#!/usr/bin/env bash
# Python 3.11.2 (Debian 3.11.2-6+deb12u9) and Python 3.13.2 (pyodide 0.29.5, npm, run with Node.js), each with its own
# logging.handlers.TimedRotatingFileHandler; the program below sets the clock.
#
# Guess: when="H" makes a file for each hour of the clock; of the hour that comes twice both are in one file, or the second
# has another name. A handler of the standard library loses no line of a log, and goes on rotating for as long as it runs.
#
# The name of a finished file is made of the hour in which it began, moved by an hour if the season has changed since: in
# spring the file of 01:00 is named 03, and so is the next; in autumn that of the first 02:00 is named 01, and 01 is there.
# Python 3.11 removes the file that has the name, without a word: each change of clocks takes an hour of the log. Python
# 3.13 takes a file of that name for a sign that the work is done, and never comes to the next hour: from that night on
# all goes into one file, until the program is started anew. A daily log that is turned at 04:00 (when="midnight" with
# atTime) is turned at 03:00 and again at 04:00 on that night in autumn, for one name: 3.11 loses all from before 03:00.
# With utc=True all is well.
#
# Who keeps hourly logs finds one missing for two nights of the year, or a disk that fills up from such a night on, since
# backupCount deletes only when a file is turned.
#
# Seen (each line after #> is compared):
#
#> Python 3.11: when="H", 31 March, Berlin
#>     access.log.2024-03-31_00: 00:10 00:40
#>     access.log.2024-03-31_03: 03:10 03:40
#>     access.log.2024-03-31_04: 04:10 04:40
#>     access.log: 05:10 05:40
#>     lost: 01:10 01:40
#> Python 3.11: when="H", 27 October, Berlin
#>     access.log.2024-10-27_00: 00:10 00:40
#>     access.log.2024-10-27_01: 02:10 02:40
#>     access.log.2024-10-27_02: 02:10 again 02:40 again
#>     access.log.2024-10-27_03: 03:10 03:40
#>     access.log.2024-10-27_04: 04:10 04:40
#>     access.log: 05:10 05:40
#>     lost: 01:10 01:40
#> Python 3.11: when="H", utc=True, 27 October, Berlin
#>     access.log.2024-10-26_22: 00:10
#>     access.log.2024-10-26_23: 01:10
#>     access.log.2024-10-27_00: 02:10
#>     access.log.2024-10-27_01: 02:10 again
#>     access.log.2024-10-27_02: 03:10
#>     access.log.2024-10-27_03: 04:10
#>     access.log: 05:10
#>     lost: nothing
#> Python 3.11: when="midnight", atTime=04:00, 27 October, Berlin
#>     access.log.2024-10-26: 03:10
#>     access.log: 04:10 05:10 06:10
#>     lost: 20:10 21:10 22:10 23:10 00:10 01:10 02:10 02:10 again
#> Python 3.13: when="H", 31 March, Berlin
#>     access.log.2024-03-31_00: 00:10 00:40
#>     access.log.2024-03-31_03: 01:10 01:40
#>     access.log: 03:10 03:40 04:10 04:40 05:10 05:40
#>     lost: nothing
#> Python 3.13: when="H", 27 October, Berlin
#>     access.log.2024-10-27_00: 00:10 00:40
#>     access.log.2024-10-27_01: 01:10 01:40
#>     access.log: 02:10 02:40 02:10 again 02:40 again 03:10 03:40 04:10 04:40 05:10 05:40
#>     lost: nothing
#> Python 3.13: when="H", utc=True, 27 October, Berlin
#>     access.log.2024-10-26_22: 00:10
#>     access.log.2024-10-26_23: 01:10
#>     access.log.2024-10-27_00: 02:10
#>     access.log.2024-10-27_01: 02:10 again
#>     access.log.2024-10-27_02: 03:10
#>     access.log.2024-10-27_03: 04:10
#>     access.log: 05:10
#>     lost: nothing
#> Python 3.13: when="midnight", atTime=04:00, 27 October, Berlin
#>     access.log.2024-10-26: 20:10 21:10 22:10 23:10 00:10 01:10 02:10 02:10 again 03:10
#>     access.log: 04:10 05:10 06:10
#>     lost: nothing

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=Europe/Berlin NO_UPDATE_NOTIFIER=1
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
npm install --silent --no-audit --no-fund --prefix "$work" pyodide@0.29.5

cat >turn.py <<'PYTHON'
import logging
import logging.handlers
import os
import sys
import tempfile
import time
from datetime import datetime, timezone
from datetime import time as clock_time

dawn = clock_time(4)
now = 0
time.time = lambda: now


def turn(title, start, hours, step=1800, **options):
    """Write a line each half hour or hour, from ten past an hour of UTC on, and show what is in which file."""
    global now
    now = first = int(datetime(*start, 10, tzinfo=timezone.utc).timestamp())
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "access.log")
    open(path, "w").close()
    os.utime(path, (first, first))
    handler = logging.handlers.TimedRotatingFileHandler(path, **options)
    written = []
    while now < first + hours * 3600:
        line = time.strftime("%H:%M", time.localtime(now))
        written.append(line + " again" if line in written else line)
        handler.emit(logging.LogRecord("access", logging.INFO, "", 0, written[-1], None, None))
        now += step
    handler.close()
    print(f"Python {sys.version_info.major}.{sys.version_info.minor}: {title}")
    kept = []
    for name in sorted(os.listdir(folder), key=lambda name: (name == "access.log", name)):
        with open(os.path.join(folder, name)) as file:
            lines = file.read().splitlines()
        kept += lines
        print(f"    {name}:", *lines)
    print("    lost:", " ".join(line for line in written if line not in kept) or "nothing")


turn('when="H", 31 March, Berlin', (2024, 3, 30, 23), 5, when="H")
turn('when="H", 27 October, Berlin', (2024, 10, 26, 22), 7, when="H")
turn('when="H", utc=True, 27 October, Berlin', (2024, 10, 26, 22), 7, step=3600, when="H", utc=True)
turn('when="midnight", atTime=04:00, 27 October, Berlin', (2024, 10, 26, 18), 12, step=3600, when="midnight", atTime=dawn)
PYTHON
cat >run.mjs <<'END'
import { readFileSync } from "node:fs";
import { loadPyodide } from "pyodide";

(await loadPyodide()).runPython(readFileSync(process.argv[2], "utf8"));
END
{
    PYTHONHOME=$work/tree/usr tree/usr/bin/python3.11 turn.py
    node run.mjs turn.py
} >seen

if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
