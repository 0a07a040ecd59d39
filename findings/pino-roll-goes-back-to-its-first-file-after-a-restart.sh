#!/usr/bin/env bash
# pino-roll 4.0.0 (npm), run with Node.js; the clock is set with libfaketime 0.9.10 (Debian 0.9.10-2.1).
#
# Guess: frequency "daily" makes a file a day, numbered in the order of days, and a program that is restarted goes on
# with the newest number, or with the next one.
#
# The number is kept in memory only. A restart looks for files that were made since midnight, and takes 1 if there is
# none: what the first restart on a later day writes is appended to the first file, behind the lines of the first day,
# while the days between stand in files with higher numbers. If the program is restarted each day before anything
# rolls, all days are in one file. With dateFormat the days have names, and all is well.
#
# Who imports: no order of the names is an order of time, and a file that was read to its end and set aside grows again.
#
# Seen (each line after #> is compared):
#
#> dateFormat '':
#>     access.1.log: day 1,day 3, after a restart,day 4, after a restart
#>     access.2.log: day 2, the same process
#> dateFormat 'yyyy-MM-dd':
#>     access.DAY1.1.log: day 1
#>     access.DAY2.1.log: day 2, the same process
#>     access.DAY3.1.log: day 3, after a restart
#>     access.DAY4.1.log: day 4, after a restart

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC NO_UPDATE_NOTIFIER=1
script=$(realpath "${BASH_SOURCE[0]}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(libfaketime=0.9.10-2.1)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
faketime=$(find "$work/tree" -name libfaketime.so.1)
npm install --silent --no-audit --no-fund --prefix "$work" pino-roll@4.0.0

cat >write.mjs <<'END'
// Write the first argument, and each further one when the file has rolled.
import fs from "node:fs";
import roll from "pino-roll";

const [folder, dateFormat, ...lines] = process.argv.slice(2);
const names = dateFormat ? { dateFormat } : {};
const log = await roll({ file: `${folder}/access`, frequency: "daily", mkdir: true, ...names });
const files = () => (fs.existsSync(folder) ? fs.readdirSync(folder).length : 0);
for (const [index, line] of lines.entries()) {
  while (files() <= index) await new Promise((resolve) => setTimeout(resolve, 50));
  log.write(`${line}\n`);
}
log.end();
END
# Files keep the true time at which they were made, so days are counted from today.
run() {
    local time=$1
    shift
    LD_PRELOAD=$faketime FAKETIME="@$time" node write.mjs "$@"
}
today=$(date +%s)
day() { date --date="@$((today + $1 * 86400))" +%Y-%m-%d; }
days() { sed "s/$(day 0)/DAY1/; s/$(day 1)/DAY2/; s/$(day 2)/DAY3/; s/$(day 3)/DAY4/"; }
show() { for file in "$1"/*; do echo "    ${file#*/}: $(paste -sd, "$file")" | days; done; }
{
    for format in "" "yyyy-MM-dd"; do
        echo "dateFormat '$format':"
        run "$(day 0) 23:59:57" "logs$format" "$format" "day 1" "day 2, the same process"
        run "$(day 2) 12:00:00" "logs$format" "$format" "day 3, after a restart"
        run "$(day 3) 12:00:00" "logs$format" "$format" "day 4, after a restart"
        show "logs$format"
    done
} >seen

if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
