#!/usr/bin/env bash
# arrow 1.4.0, Babel 2.19.0, pendulum 3.3.0 and humanize 4.17.0 (Python), dayjs 1.11.23 and date-fns 4.4.0 (npm).
#
# Guess: an age in words ("3 weeks ago") takes a unit when about one of it has passed; libraries differ by a few days
# where a month begins, some round up a day before.
#
# Half of a month is enough for arrow, which says "a month" of 15 days, right after "2 weeks" of 14, and for humanize,
# from 16 days on: a day older and the text is two weeks older. Babel rounds up from 0.85 of a unit, so six days are a
# week and 26 a month, and 311 a year; pendulum says "1 month" up to 57 days. Of 26 days there are three answers.
#
# Who filters for "a month ago" by what the page says looks in the wrong half of it; a page whose server makes some ages
# and whose browser makes others shows two for one time.
#
# Seen (each line after #> is compared):
#
#> days     6         13        14        15        16        26        46        340
#> arrow    6 days    a week    2 weeks   a month   a month   a month   2 months  11 months
#> Babel    1 week    2 weeks   2 weeks   2 weeks   2 weeks   1 month   2 months  1 year
#> pendulum 6 days    2 weeks   2 weeks   2 weeks   2 weeks   4 weeks   1 month   11 months
#> humanize 6 days    13 days   14 days   15 days   a month   a month   2 months  11 months
#> dayjs    6 days    13 days   14 days   15 days   16 days   a month   2 months  a year
#> date-fns 6 days    13 days   14 days   15 days   16 days   26 days   2 months  11 months

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1 NO_UPDATE_NOTIFIER=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet arrow==1.4.0 Babel==2.19.0 pendulum==3.3.0 humanize==4.17.0 tzdata==2026.6
npm install --silent --no-audit --no-fund --prefix "$work" dayjs@1.11.23 date-fns@4.4.0

cat >"$work/ages.py" <<'PYTHON'
import re
import sys
from datetime import datetime, timedelta, timezone

import arrow
import humanize
import pendulum
from babel.dates import format_timedelta

now = datetime(2026, 7, 1, tzinfo=timezone.utc)
for days in map(int, sys.argv[1:]):
    then = now - timedelta(days=days)
    ages = {
        "arrow": arrow.get(then).humanize(arrow.get(now)),
        "Babel": format_timedelta(timedelta(days=-days), add_direction=True, locale="en"),
        "pendulum": pendulum.instance(then).diff_for_humans(pendulum.instance(now)),
        "humanize": humanize.naturaltime(timedelta(days=days), when=now),
    }
    for name, age in ages.items():
        print(days, name, re.sub(" (ago|before)$|^about ", "", age), sep="\t")
PYTHON
cat >"$work/ages.mjs" <<'END'
import { formatDistance, subDays } from "date-fns";
import dayjs from "dayjs";
import relativeTime from "dayjs/plugin/relativeTime.js";

dayjs.extend(relativeTime);
const now = new Date("2026-07-01T00:00:00Z");
for (const days of process.argv.slice(2)) {
  const then = subDays(now, Number(days));
  console.log(`${days}\tdayjs\t${dayjs(then).from(now, true)}`);
  console.log(`${days}\tdate-fns\t${formatDistance(then, now).replace("about ", "")}`);
}
END
days=(6 13 14 15 16 26 46 340)
{
    "$work/venv/bin/python" "$work/ages.py" "${days[@]}"
    node "$work/ages.mjs" "${days[@]}"
} | awk -F '\t' '{ row[$2] = row[$2] sprintf("%-10s", $3); if (!seen[$2]++) name[n++] = $2 } END { for (i = 0; i < n; i++) print sprintf("%-9s", name[i]) row[name[i]] }' \
    | sed "1i days     $(printf '%-10s' "${days[@]}")" | sed 's/ *$//' >"$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
