#!/usr/bin/env bash
# Luxon 3.7.2 (npm), run with Node.js; the current time is set with Luxon's own Settings.now.
#
# Guess: a local time that comes twice when clocks go back is read as the first of the two, as Temporal does, or as the
# second, but always as the same: a text and a zone have one instant, whenever a program reads them.
#
# It depends on the day on which the program runs. Luxon begins with the offset that the zone has now: in winter
# 02:30 of 27 October is the second one, in summer the first, whether it is read by fromISO, fromFormat or fromSQL.
# A day that has two midnights (Havana, 3 November) begins at the second in winter, so that it has 24 hours, and at the
# first in summer, with 25. Times that come once, and those that never come, are read the same all year.
#
# Who imports: the same log that is read again in summer has other instants for that hour, so that what was imported in
# winter is not recognized; a test that passes in January fails in July.
#
# Seen (each line after #> is compared):
#
#> run on 2026-01-15:
#>     fromISO, repeated hour  2024-10-27T01:30:00Z
#>     fromFormat              2024-10-27T01:30:00Z
#>     fromSQL                 2024-10-27T01:30:00Z
#>     fromISO, skipped hour   2024-03-31T01:30:00Z
#>     fromISO, another hour   2024-10-27T02:30:00Z
#>     Havana, 3 November      2024-11-03T05:00:00Z 24 hours
#> run on 2026-07-15:
#>     fromISO, repeated hour  2024-10-27T00:30:00Z
#>     fromFormat              2024-10-27T00:30:00Z
#>     fromSQL                 2024-10-27T00:30:00Z
#>     fromISO, skipped hour   2024-03-31T01:30:00Z
#>     fromISO, another hour   2024-10-27T02:30:00Z
#>     Havana, 3 November      2024-11-03T04:00:00Z 25 hours

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC NO_UPDATE_NOTIFIER=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" luxon@3.7.2

cat >"$work/read.mjs" <<'END'
import { DateTime, Settings } from "luxon";

const BERLIN = { zone: "Europe/Berlin" };
const instant = (time) => time.toUTC().toISO({ suppressMilliseconds: true });
for (const today of ["2026-01-15T12:00:00Z", "2026-07-15T12:00:00Z"]) {
  Settings.now = () => Date.parse(today);
  console.log(`run on ${today.slice(0, 10)}:`);
  console.log("    fromISO, repeated hour ", instant(DateTime.fromISO("2024-10-27T02:30:00", BERLIN)));
  console.log("    fromFormat             ", instant(DateTime.fromFormat("27/Oct/2024:02:30", "dd/MMM/yyyy:HH:mm", BERLIN)));
  console.log("    fromSQL                ", instant(DateTime.fromSQL("2024-10-27 02:30:00", BERLIN)));
  console.log("    fromISO, skipped hour  ", instant(DateTime.fromISO("2024-03-31T02:30:00", BERLIN)));
  console.log("    fromISO, another hour  ", instant(DateTime.fromISO("2024-10-27T03:30:00", BERLIN)));
  const day = DateTime.fromISO("2024-11-03", { zone: "America/Havana" });
  const next = DateTime.fromISO("2024-11-04", { zone: "America/Havana" });
  console.log("    Havana, 3 November     ", instant(day), `${next.diff(day, "hours").hours} hours`);
}
END
node "$work/read.mjs" >"$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
