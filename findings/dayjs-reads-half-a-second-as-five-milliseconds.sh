#!/usr/bin/env bash
# dayjs 1.11.23 (npm), run with Node.js, with Luxon 3.7.2 and the language's own Date beside it.
#
# Guess: a time with a fraction of a second is read by its value: .5 is half a second, as .500 is.
#
# Of a text without an offset the digits after the point are taken for a number of milliseconds: .5 is 5 of them, .25 is
# 25, and .05 is 5 as well, as much as .5. Three digits and more are right, so what toISOString writes is read back.
# With a Z or an offset the text is handed to Date, which is right. The plugins utc and timezone read in the same way.
# PostgreSQL and other programs leave out zeros at the end, so of times in milliseconds one in ten has one digit or two.
#
# Who sorts or subtracts such times has one in ten up to 0.9 seconds early: .9 comes before .123.
#
# Seen (each line after #> is compared):
#
#> 2024-05-11T10:30:00.5   dayjs 10:30:00.005, dayjs.utc 10:30:00.005, luxon 10:30:00.500, Date 10:30:00.500
#> 2024-05-11T10:30:00.25  dayjs 10:30:00.025, dayjs.utc 10:30:00.025, luxon 10:30:00.250, Date 10:30:00.250
#> 2024-05-11T10:30:00.05  dayjs 10:30:00.005, dayjs.utc 10:30:00.005, luxon 10:30:00.050, Date 10:30:00.050
#> 2024-05-11T10:30:00.123 dayjs 10:30:00.123, dayjs.utc 10:30:00.123, luxon 10:30:00.123, Date 10:30:00.123
#> 2024-05-11T10:30:00.5Z  dayjs 10:30:00.500, dayjs.utc 10:30:00.500, luxon 10:30:00.500, Date 10:30:00.500
#> sorted: 10:30:00.5 10:30:00.9 10:30:00.123

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC NO_UPDATE_NOTIFIER=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" dayjs@1.11.23 luxon@3.7.2

cat >"$work/read.mjs" <<'END'
import dayjs from "dayjs";
import utc from "dayjs/plugin/utc.js";
import { DateTime } from "luxon";

dayjs.extend(utc);
const TEXTS = ["10:30:00.5", "10:30:00.25", "10:30:00.05", "10:30:00.123", "10:30:00.5Z"];
for (const text of TEXTS.map((time) => `2024-05-11T${time}`)) {
  const read = { dayjs: dayjs(text), "dayjs.utc": dayjs.utc(text), luxon: DateTime.fromISO(text, { zone: "utc" }), Date: new Date(text) };
  const shown = ([name, time]) => `${name} ${new Date(+time).toISOString().slice(11, 23)}`;
  console.log(text.padEnd(23), Object.entries(read).map(shown).join(", "));
}
const times = ["10:30:00.123", "10:30:00.5", "10:30:00.9"].map((time) => `2024-05-11T${time}`);
console.log("sorted:", times.sort((a, b) => dayjs(a) - dayjs(b)).map((time) => time.slice(11)).join(" "));
END
node "$work/read.mjs" >"$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
