#!/usr/bin/env bash
# winston-daily-rotate-file 5.0.0 with winston 3.19.0 (npm), run with Node.js.
#
# Guess: maxSize is a number of bytes, or one with k, m or g behind it, as its documentation says, be it a number or the
# text that came from the environment; what it cannot read is an error.
#
# A number in a text, "1000", is no limit at all: the file grows for ever, without a word. So are "1kb" and "1.5k", and
# a number that is not whole. As a number 1000 is a limit, of a whole kilobyte; "0.5k" is read, "1.5k" is not.
#
# Who sets LOG_MAX_SIZE=20000000, or "20mb", finds out when the disk is full; a test that gives the number passes.
#
# Seen (each line after #> is compared):
#
#> maxSize 1000: no file above 1100 bytes
#> maxSize 1000.5: 10000 bytes in one file
#> maxSize "1000": 10000 bytes in one file
#> maxSize "1kb": 10000 bytes in one file
#> maxSize "1.5k": 10000 bytes in one file
#> maxSize "1k": no file above 1100 bytes
#> maxSize "0.5k": no file above 600 bytes

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC NO_UPDATE_NOTIFIER=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" winston@3.19.0 winston-daily-rotate-file@5.0.0

cat >"$work/log.mjs" <<'END'
import { mkdtempSync, readdirSync, statSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import winston from "winston";
import DailyRotateFile from "winston-daily-rotate-file";

for (const maxSize of [1000, 1000.5, "1000", "1kb", "1.5k", "1k", "0.5k"]) {
  const dirname = mkdtempSync(`${process.argv[2]}/log`);
  const transport = new DailyRotateFile({ dirname, filename: "access.log", maxSize, format: winston.format.printf(({ message }) => message) });
  const logger = winston.createLogger({ transports: [transport] });
  const sizes = () => readdirSync(dirname).filter((name) => name.startsWith("access.log")).map((name) => statSync(`${dirname}/${name}`).size);
  const written = () => sizes().reduce((sum, size) => sum + size, 0);
  for (let line = 1; line <= 100; line++) {
    logger.info(String(line).padEnd(99, "x"));
    for (let tries = 0; written() < line * 100 && tries < 2000; tries++) await setTimeout(5);
  }
  const largest = Math.max(...sizes());
  console.log(`maxSize ${JSON.stringify(maxSize)}:`, largest === 10000 ? "10000 bytes in one file" : `no file above ${Math.ceil(largest / 100) * 100} bytes`);
  logger.close();
}
END
node "$work/log.mjs" "$work" >"$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
