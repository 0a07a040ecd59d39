#!/usr/bin/env bash
# @formkit/tempo 1.1.0 (npm), run with Node.js, with Luxon 3.7.2 beside it.
#
# Guess: a local time that comes once has one instant, which tzDate finds; of the hour that is skipped and the hour that
# comes twice it makes something.
#
# It takes the offset that the zone has at the moment which has these digits in UTC. In Berlin, an hour east, that is
# wrong in the last hour before each change: 01:30 of 31 March is an hour too early, 01:30 of 27 October an hour too
# late. In New York it is wrong for four hours after each change, in Auckland for half a day before it. A time that has
# gone to a text and is read back is another.
#
# Who counts by local hour: one night has two hours' visits in one and none in its neighbour.
#
# Seen (each line after #> is compared):
#
#> Europe/Berlin 2024-03-31 an hour too early: 1 hours, 31/01:00 to 31/01:00
#> Europe/Berlin 2024-10-27 an hour too late: 1 hours, 27/01:00 to 27/01:00
#> America/New_York 2024-03-10 an hour too late: 4 hours, 10/03:00 to 10/06:00
#> America/New_York 2024-11-03 an hour too early: 4 hours, 03/02:00 to 03/05:00
#> Pacific/Auckland 2024-04-07 an hour too late: 12 hours, 06/14:00 to 07/01:00
#> Pacific/Auckland 2024-09-29 an hour too early: 12 hours, 28/14:00 to 29/01:00

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC NO_UPDATE_NOTIFIER=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" @formkit/tempo@1.1.0 luxon@3.7.2

cat >"$work/read.mjs" <<'END'
import { tzDate } from "@formkit/tempo";
import { DateTime } from "luxon";

const CHANGES = [
  ["Europe/Berlin", "2024-03-31", "2024-10-27"],
  ["America/New_York", "2024-03-10", "2024-11-03"],
  ["Pacific/Auckland", "2024-04-07", "2024-09-29"],
];
for (const [zone, ...days] of CHANGES) {
  for (const day of days) {
    const wrong = { early: [], late: [] };
    const start = DateTime.fromISO(day, { zone });
    for (let time = start.minus({ hours: 24 }); time < start.plus({ hours: 36 }); time = time.plus({ hours: 1 })) {
      if (time.getPossibleOffsets().length > 1) continue;
      const hours = (tzDate(time.toFormat("yyyy-MM-dd'T'HH:mm:ss"), zone).getTime() - time.toMillis()) / 3600000;
      if (hours) wrong[hours < 0 ? "early" : "late"].push(time.toFormat("dd/HH:mm"));
    }
    for (const [how, times] of Object.entries(wrong))
      if (times.length) console.log(zone, day, `an hour too ${how}: ${times.length} hours, ${times[0]} to ${times.at(-1)}`);
  }
}
END
node "$work/read.mjs" >"$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
