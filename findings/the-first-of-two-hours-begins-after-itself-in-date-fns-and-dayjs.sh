#!/usr/bin/env bash
# date-fns 4.4.0 with @date-fns/tz 1.5.0, and dayjs 1.11.23 with its plugins utc and timezone (npm), run with Node.js;
# Luxon 3.7.2 and temporal-polyfill 1.0.8 beside them.
#
# Guess: startOfHour of a time is never after it, also where an hour comes twice; at worst both hours begin at the
# first.
#
# For 02:30+02:00 of 27 October in Berlin, the first of two, both say that its hour began at 02:00+01:00, half an hour
# after the time itself; startOfMinute of date-fns is an hour late as well. Each sets the minutes on the clock and finds
# the second of the two. What happened in the two hours stands in one group, and eachHourOfInterval has no other: from
# midnight to four it gives one for each hour of the clock, of which two are two hours apart.
#
# Who groups by startOfHour: visits lie before the hour to which they belong, and the sum by hour has a gap and a
# double.
#
# Seen (each line after #> is compared):
#
#> 02:30+02:00:
#>     date-fns startOfHour 02:00+01:00 endOfHour 02:59+01:00 startOfMinute 02:30+01:00
#>     dayjs startOf 02:00+01:00 endOf 02:59+01:00
#>     luxon startOf 02:00+02:00
#>     temporal round 02:00+02:00
#> 02:30+01:00:
#>     date-fns startOfHour 02:00+01:00 endOfHour 02:59+01:00 startOfMinute 02:30+01:00
#>     dayjs startOf 02:00+01:00 endOf 02:59+01:00
#>     luxon startOf 02:00+01:00
#>     temporal round 02:00+01:00
#> eachHourOfInterval: 00:00+02:00 01:00+02:00 02:00+01:00 03:00+01:00 04:00+01:00

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC NO_UPDATE_NOTIFIER=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" date-fns@4.4.0 @date-fns/tz@1.5.0 dayjs@1.11.23 luxon@3.7.2 temporal-polyfill@1.0.8

cat >"$work/hours.mjs" <<'END'
import { TZDate } from "@date-fns/tz";
import { eachHourOfInterval, endOfHour, format, startOfHour, startOfMinute } from "date-fns";
import dayjs from "dayjs";
import timezone from "dayjs/plugin/timezone.js";
import utc from "dayjs/plugin/utc.js";
import { DateTime } from "luxon";
import { Temporal } from "temporal-polyfill";

dayjs.extend(utc);
dayjs.extend(timezone);
const ZONE = "Europe/Berlin";
for (const hour of [0, 1]) {
  const instant = Date.UTC(2024, 9, 27, hour, 30);
  const date = new TZDate(instant, ZONE);
  const temporal = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(ZONE).round({ smallestUnit: "hour", roundingMode: "floor" });
  console.log(`${format(date, "HH:mmxxx")}:`);
  console.log("    date-fns startOfHour", format(startOfHour(date), "HH:mmxxx"), "endOfHour", format(endOfHour(date), "HH:mmxxx"), "startOfMinute", format(startOfMinute(date), "HH:mmxxx"));
  console.log("    dayjs startOf", dayjs(instant).tz(ZONE).startOf("hour").format("HH:mmZ"), "endOf", dayjs(instant).tz(ZONE).endOf("hour").format("HH:mmZ"));
  console.log("    luxon startOf", DateTime.fromMillis(instant, { zone: ZONE }).startOf("hour").toFormat("HH:mmZZ"));
  console.log("    temporal round", temporal.toString().slice(11, 16) + temporal.offset);
}
const hours = eachHourOfInterval({ start: new TZDate(2024, 9, 27, 0, ZONE), end: new TZDate(2024, 9, 27, 4, ZONE) });
console.log("eachHourOfInterval:", hours.map((date) => format(date, "HH:mmxxx")).join(" "));
END
node "$work/hours.mjs" >"$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
