#!/usr/bin/env bash
# spacetime 7.15.0 (npm), run with Node.js, whose own Intl is shown beside it.
#
# Guess: a library for time zones knows that clocks change on the last Sunday of March and of October, or asks Intl; at
# worst it has old rules for some small country.
#
# It has one pair of days for each zone, those of one year, and takes them for all: in Berlin clocks change on 29 March
# and 25 October, as they do in 2026. In 2025 they change a day too early, in 2024 two, in 2022 two too late and five
# too early. In between each local time is an hour off, and each instant is shown an hour off, without a word. In New
# York, where the days are 8 March and 1 November, all of it is off by up to a week.
#
# Who looks at this year's times finds all right; reports on last year have days with hours that belong to others.
#
# Seen (each line after #> is compared):
#
#> Europe/Berlin 2022 noons with a wrong hour: 03-27 03-28 10-25 10-26 10-27 10-28 10-29
#> Europe/Berlin 2023 noons with a wrong hour: 03-26 03-27 03-28 10-25 10-26 10-27 10-28
#> Europe/Berlin 2024 noons with a wrong hour: 03-29 03-30 10-25 10-26
#> Europe/Berlin 2025 noons with a wrong hour: 03-29 10-25
#> Europe/Berlin 2026 noons with a wrong hour: none
#> Europe/Berlin 2027 noons with a wrong hour: 03-28 10-25 10-26 10-27 10-28 10-29 10-30
#> America/New_York 2022 noons with a wrong hour: 03-08 03-09 03-10 03-11 03-12 11-01 11-02 11-03 11-04 11-05
#> America/New_York 2023 noons with a wrong hour: 03-08 03-09 03-10 03-11 11-01 11-02 11-03 11-04
#> America/New_York 2024 noons with a wrong hour: 03-08 03-09 11-01 11-02
#> America/New_York 2025 noons with a wrong hour: 03-08 11-01
#> America/New_York 2026 noons with a wrong hour: none
#> America/New_York 2027 noons with a wrong hour: 03-08 03-09 03-10 03-11 03-12 03-13 11-01 11-02 11-03 11-04 11-05 11-06
#> noon of 30 March 2024 in Berlin is 10:00 UTC, which is 11:00 there

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC NO_UPDATE_NOTIFIER=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" spacetime@7.15.0

cat >"$work/change.mjs" <<'END'
import spacetime from "spacetime";

const HOUR = 3600000;
const clock = (zone) => {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
  return (instant) => format.format(instant);
};
for (const zone of ["Europe/Berlin", "America/New_York"]) {
  const intl = clock(zone);
  for (let year = 2022; year < 2028; year++) {
    const wrong = [];
    for (let instant = Date.UTC(year, 0, 1, 12); instant < Date.UTC(year + 1, 0, 1); instant += 24 * HOUR) {
      const shown = spacetime(instant, zone).iso().slice(0, 16).replace("T", " ");
      if (shown !== intl(instant)) wrong.push(intl(instant).slice(5, 10));
    }
    console.log(zone, year, "noons with a wrong hour:", wrong.join(" ") || "none");
  }
}
const noon = spacetime("2024-03-30T12:00:00", "Europe/Berlin");
console.log("noon of 30 March 2024 in Berlin is", new Date(noon.epoch).toISOString().slice(11, 16), "UTC, which is", clock("Europe/Berlin")(noon.epoch).slice(11), "there");
END
node "$work/change.mjs" >"$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
