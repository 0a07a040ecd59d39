#!/usr/bin/env bash
# dayjs 1.11.23 with its plugins utc and timezone (npm), run with Node.js, with Luxon 3.7.2 beside it.
#
# Guess: dayjs.tz(text, zone).add(1, "month") is the same clock time a month later in that zone, as in Luxon; what it
# shows is a time of that zone.
#
# The offset stays what it was. A month after noon of 15 October in Berlin is "12:00+02:00" of 15 November, an hour
# before noon there; with hours it is the same, so that 24 hours and one day are equal. Only what passes through
# .tz(zone) again is right, and so are startOf and endOf, which ask the zone: endOf("month") has another offset than the
# time from which it was made.
#
# Who computes the ends of periods in a zone (a day, a month, a quarter) by add() is an hour off for each that has a
# change in it; the text looks right, until somebody reads the offset.
#
# Seen (each line after #> is compared):
#
#> 15 Oct 12:00+02:00 + 1 month
#>     dayjs  15 Nov 12:00+02:00 which is 10:00 UTC; by .tz(zone) 15 Nov 11:00+01:00
#>     luxon  15 Nov 12:00+01:00 which is 11:00 UTC
#> 26 Oct 12:00+02:00 + 1 day
#>     dayjs  27 Oct 12:00+02:00 which is 10:00 UTC; by .tz(zone) 27 Oct 11:00+01:00
#>     luxon  27 Oct 12:00+01:00 which is 11:00 UTC
#> 26 Oct 12:00+02:00 + 24 hour
#>     dayjs  27 Oct 12:00+02:00 which is 10:00 UTC; by .tz(zone) 27 Oct 11:00+01:00
#>     luxon  27 Oct 11:00+01:00 which is 10:00 UTC
#> 30 Mar 12:00+01:00 + 1 day
#>     dayjs  31 Mar 12:00+01:00 which is 11:00 UTC; by .tz(zone) 31 Mar 13:00+02:00
#>     luxon  31 Mar 12:00+02:00 which is 10:00 UTC
#> the month of 15 Oct: 01 Oct 00:00+02:00 to 31 Oct 23:59+01:00
#> its first day + 1 month: 01 Nov 00:00+02:00

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC NO_UPDATE_NOTIFIER=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" dayjs@1.11.23 luxon@3.7.2

cat >"$work/add.mjs" <<'END'
import dayjs from "dayjs";
import timezone from "dayjs/plugin/timezone.js";
import utc from "dayjs/plugin/utc.js";
import { DateTime } from "luxon";

dayjs.extend(utc);
dayjs.extend(timezone);
const ZONE = "Europe/Berlin";
const OPTIONS = { suppressMilliseconds: true, suppressSeconds: true };
for (const [text, amount, unit] of [["2024-10-15T12:00", 1, "month"], ["2024-10-26T12:00", 1, "day"], ["2024-10-26T12:00", 24, "hour"], ["2024-03-30T12:00", 1, "day"]]) {
  const start = dayjs.tz(text, ZONE);
  const later = start.add(amount, unit);
  const luxon = DateTime.fromISO(text, { zone: ZONE }).plus({ [unit]: amount });
  console.log(start.format("DD MMM HH:mmZ"), "+", amount, unit);
  console.log("    dayjs ", later.format("DD MMM HH:mmZ"), "which is", later.toISOString().slice(11, 16), "UTC; by .tz(zone)", later.tz(ZONE).format("DD MMM HH:mmZ"));
  console.log("    luxon ", luxon.toFormat("dd MMM HH:mmZZ"), "which is", luxon.toUTC().toFormat("HH:mm"), "UTC");
}
const middle = dayjs.tz("2024-10-15T12:00", ZONE);
console.log("the month of 15 Oct:", middle.startOf("month").format("DD MMM HH:mmZ"), "to", middle.endOf("month").format("DD MMM HH:mmZ"));
console.log("its first day + 1 month:", middle.startOf("month").add(1, "month").format("DD MMM HH:mmZ"));
END
node "$work/add.mjs" >"$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
