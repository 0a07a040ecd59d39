#!/usr/bin/env bash
# dateparser 1.5.0 (Python).
#
# Guess: what ISO 8601 says in figures is the easiest that a reader of free text ("3 days ago", "5 May") is asked; it is
# read right, or not at all (None).
#
# The common form is. Others that datetime.fromisoformat reads are taken for something else, without a word: of
# 2024-05-11T10Z and 2024-05-11T10:30,5Z the end is an age, so it is ten days ago, or five; of the basic form,
# 20240511T100000Z, it is a hundred thousand days ago, in the year 1752. The week 2024-W19 is the 19th of this month in
# 2024, its Saturday, 2024-W19-6, is 19 June. 2024-05-11T10 and the basic date 20240511 are None.
#
# Who reads a since= or a column of dates with it, to be kind to people, gets other dates from programs that write the
# short forms; the wrong ones are recent enough to look right.
#
# Seen, on 15 July 2026 at noon (each line after #> is compared):
#
#> 2024-05-11T10:00:00Z   2024-05-11 10:00
#> 2024-05-11T10:00Z      2024-05-11 10:00
#> 2024-05-11T10Z         2026-07-05 12:00
#> 2024-05-11T10          None
#> 2024-05-11T10:30,5Z    2026-07-10 12:00
#> 20240511               None
#> 20240511T100000Z       1752-09-29 12:00
#> 2024-W19-6             2024-06-19 00:00
#> 2024-W19               2024-07-19 00:00

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet dateparser==1.5.0 tzdata==2026.6

"$work/venv/bin/python" -W ignore >"$work/seen" <<'PYTHON'
from datetime import datetime

import dateparser

NOW = {"RELATIVE_BASE": datetime(2026, 7, 15, 12)}
for text in (
    "2024-05-11T10:00:00Z",
    "2024-05-11T10:00Z",
    "2024-05-11T10Z",
    "2024-05-11T10",
    "2024-05-11T10:30,5Z",
    "20240511",
    "20240511T100000Z",
    "2024-W19-6",
    "2024-W19",
):
    read = dateparser.parse(text, settings=NOW)
    print(f"{text:22} {read and f'{read:%Y-%m-%d %H:%M}'}")
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
