#!/usr/bin/env bash
# file-stream-rotator 1.0.0 (npm), run with Node.js.
#
# Guess: with a limit of size the files of one date are numbered 0, 1, 2 and so on; a program that is restarted goes on
# with the last number or with the next one, as its list of files (audit_file) tells which that is.
#
# The number is looked for in the last file's name, and without the option "extension" the first digits of the whole path
# are taken for it: the year, or a digit of a folder. After a restart the file after number 1 has the number of the year.
# Each further restart begins with that number again: it is full, so the next one is taken, whose size is not looked at,
# and which gets a whole limit more each time. So the file that grows is neither the last by number nor within the limit,
# and lines stand behind younger ones. With the extension as an option of its own all is as guessed.
#
# Who names logs access-%DATE%.log, as examples of its manual do, has one file of a date that grows with each restart.
#
# Seen (each line after #> is compared; sizes in lines of 100 bytes, the limit is 1 kB, a run writes 12 lines):
#
#> filename 'access-%DATE%.log', extension ''
#>     run 1 access-YEAR.log.0: 11 access-YEAR.log.1: 1
#>     run 2 access-YEAR.log.0: 11 access-YEAR.log.1: 1 access-YEAR.log.YEAR: 11 access-YEAR.log.YEAR+1: 1
#>     run 3 access-YEAR.log.0: 11 access-YEAR.log.1: 1 access-YEAR.log.YEAR: 11 access-YEAR.log.YEAR+1: 12 access-YEAR.log.YEAR+2: 1
#>     run 4 access-YEAR.log.0: 11 access-YEAR.log.1: 1 access-YEAR.log.YEAR: 11 access-YEAR.log.YEAR+1: 23 access-YEAR.log.YEAR+2: 2
#> filename 'access-%DATE%', extension '.log'
#>     run 1 access-YEAR.0.log: 11 access-YEAR.1.log: 1
#>     run 2 access-YEAR.0.log: 11 access-YEAR.1.log: 11 access-YEAR.2.log: 2
#>     run 3 access-YEAR.0.log: 11 access-YEAR.1.log: 11 access-YEAR.2.log: 11 access-YEAR.3.log: 3
#>     run 4 access-YEAR.0.log: 11 access-YEAR.1.log: 11 access-YEAR.2.log: 11 access-YEAR.3.log: 11 access-YEAR.4.log: 4

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC NO_UPDATE_NOTIFIER=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" file-stream-rotator@1.0.0

cat >"$work/write.mjs" <<'END'
import { existsSync, readdirSync, statSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import rotator from "file-stream-rotator";

const [folder, filename, extension] = process.argv.slice(2);
const options = extension ? { extension } : {};
const log = rotator.getStream({
  filename: `${folder}/${filename}`, frequency: "date", date_format: "YYYY", size: "1k", max_logs: "1000",
  audit_file: `${folder}/audit.json`, end_stream: true, ...options,
});
const size = () => (existsSync(folder) ? readdirSync(folder) : []).filter((name) => name.startsWith("access")).reduce((sum, name) => sum + statSync(`${folder}/${name}`).size, 0);
const before = size();
for (let line = 1; line <= 12; line++) {
  log.write(`${"x".repeat(99)}\n`);
  for (let tries = 0; size() < before + line * 100 && tries < 4000; tries++) await setTimeout(5);
}
log.end();
END
# Relative paths, because digits of a temporary folder's name would be taken as well.
script=$(realpath "${BASH_SOURCE[0]}")
cd "$work"
year=$(date +%Y)
show() {
    local filename=$1 extension=$2 run file files
    rm -rf logs
    mkdir logs
    echo "filename '$filename', extension '$extension'"
    for run in 1 2 3 4; do
        node write.mjs logs "$filename" "$extension"
        files=
        while read -r file; do
            files+=" $file: $(($(stat --format=%s "logs/$file") / 100))"
        done < <(cd logs && printf '%s\n' access* | sort -V)
        echo "    run $run$files"
    done
}
{
    show access-%DATE%.log ''
    show access-%DATE% .log
} | sed "s/\b$year\b/YEAR/g; s/\b$((year + 1))\b/YEAR+1/g; s/\b$((year + 2))\b/YEAR+2/g" >seen

if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
