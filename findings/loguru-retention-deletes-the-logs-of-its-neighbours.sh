#!/usr/bin/env bash
# loguru 0.7.3 (Python).
#
# Guess: retention=2 keeps two of the files that this sink has rotated, which it knows by the time in their names, and
# leaves the other files of the folder alone.
#
# It deletes all but two of the files whose names fit a pattern that is much wider: for access.log whatever begins with
# "access." and has ".log" somewhere after it. So access.errors.log, the log of another sink, is deleted, and so are
# access.log.bak, what logrotate made (access.log.1, access.log.2.gz) and access.stats.log. If the name has a {time} in
# it, anything may stand in its place: for access_{time}.log, access_errors.log goes too. Which two are kept depends on
# when they were written, so a busy neighbour takes the place of the own files.
#
# Who gives the logs of one program one beginning, as most do, loses the rarest: the log of errors that nothing was
# written to for longest.
#
# Seen (each line after #> is compared):
#
#> access.log, own files left: 3 (one that is written, two that are kept)
#>     access.errors.log is gone
#>     access.stats.log is gone
#>     access.log.1 is gone
#>     access.log.2.gz is gone
#>     access.log.bak is gone
#>     access-errors.log is left
#>     access.csv is left
#> access_{time:YYYY-MM-DD}.log, own files left: 3 (one that is written, two that are kept)
#>     access_errors.log is gone
#>     access_notes.txt is left

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet loguru==0.7.3

"$work/venv/bin/python" - "$work" >"$work/seen" <<'PYTHON'
import os
import sys
import tempfile

from loguru import logger

logger.remove()
NEIGHBOURS = {
    "access.log": ["access.errors.log", "access.stats.log", "access.log.1", "access.log.2.gz", "access.log.bak", "access-errors.log", "access.csv"],
    "access_{time:YYYY-MM-DD}.log": ["access_errors.log", "access_notes.txt"],
}
for name, neighbours in NEIGHBOURS.items():
    folder = tempfile.mkdtemp(dir=sys.argv[1])
    for neighbour in neighbours:
        path = os.path.join(folder, neighbour)
        with open(path, "w") as file:
            file.write("precious\n")
        os.utime(path, (1_700_000_000, 1_700_000_000))
    sink = logger.add(os.path.join(folder, name), format="{message}", rotation="1 kB", retention=2)
    for line in range(100):
        logger.info(str(line).ljust(99, "x"))
    logger.remove(sink)
    left = set(os.listdir(folder))
    print(f"{name}, own files left: {len(left - set(neighbours))} (one that is written, two that are kept)")
    for neighbour in neighbours:
        print(f"    {neighbour} {'is left' if neighbour in left else 'is gone'}")
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
