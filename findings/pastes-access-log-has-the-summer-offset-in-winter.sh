#!/usr/bin/env bash
# Paste 3.10.1 (TransLogger, the access log of WSGI applications that have no other), Python.
#
# Guess: the offset behind a time of the log is the one that the zone has at that time, written as hours and minutes.
#
# It is the one of summer, all year, for each zone that has a summer time: noon of January in Berlin is 12:00:00 +0200,
# which is an hour too early. And it is the hours in hundredths: India's half hour is +0550, Nepal's three quarters
# +0575, of which the first is read as 5 hours and 50 minutes and the second refused.
#
# Who puts such a log beside another that says its offsets as well is an hour off all winter.
#
# Seen (each line after #> is compared):
#
#> Europe/Berlin        15/Jan/2024:12:00:00 +0200 (right: +0100), read as 10:00 UTC
#> Europe/Berlin        15/Jul/2024:13:00:00 +0200 (right: +0200), read as 11:00 UTC
#> America/New_York     15/Jan/2024:06:00:00 -0400 (right: -0500), read as 10:00 UTC
#> America/New_York     15/Jul/2024:07:00:00 -0400 (right: -0400), read as 11:00 UTC
#> Asia/Kolkata         15/Jan/2024:16:30:00 +0550 (right: +0530), read as 10:40 UTC
#> Asia/Kolkata         15/Jul/2024:16:30:00 +0550 (right: +0530), read as 10:40 UTC
#> Asia/Kathmandu       15/Jan/2024:16:45:00 +0575 (right: +0545), read as refused
#> Asia/Kathmandu       15/Jul/2024:16:45:00 +0575 (right: +0545), read as refused
#> Australia/Adelaide   15/Jan/2024:21:30:00 +1050 (right: +1030), read as 10:40 UTC
#> Australia/Adelaide   15/Jul/2024:20:30:00 +1050 (right: +0930), read as 09:40 UTC

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet Paste==3.10.1 tzdata==2026.6

cat >"$work/log.py" <<'PYTHON'
import calendar
import logging
import re
import sys
import time
from datetime import datetime, timezone

from paste.translogger import TransLogger

instant = calendar.timegm((2024, int(sys.argv[1]), 15, 11, 0, 0))
lines = []
handler = logging.Handler()
handler.emit = lambda record: lines.append(record.getMessage())
logger = logging.getLogger("wsgi")
logger.addHandler(handler)
logger.setLevel(logging.INFO)


def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


clock = time.localtime
time.localtime = lambda seconds=instant: clock(seconds)
environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/films", "SCRIPT_NAME": "", "SERVER_PROTOCOL": "HTTP/1.1"}
list(TransLogger(application, logger=logger)(environ, lambda *answer: None))
stamp = re.search(r"\[(.*)\]", lines[0])[1]
right = time.strftime("%d/%b/%Y:%H:%M:%S %z", clock(instant))
try:
    read = datetime.strptime(stamp, "%d/%b/%Y:%H:%M:%S %z").astimezone(timezone.utc).strftime("%H:%M UTC")
except ValueError:
    read = "refused"
print(f"{sys.argv[2]:20} {stamp} (right: {right[-5:]}), read as {read}")
PYTHON
for zone in Europe/Berlin America/New_York Asia/Kolkata Asia/Kathmandu Australia/Adelaide; do
    for month in 1 7; do TZ=$zone "$work/venv/bin/python" "$work/log.py" "$month" "$zone"; done
done >"$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
