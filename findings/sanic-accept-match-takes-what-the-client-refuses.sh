#!/usr/bin/env bash
# Sanic 25.12.1: q=0 is no refusal, and the more general entry may win.
#
# Guess: request.accept.match("text/csv", "application/json") finds nothing for a type that the client gave
# q=0, and takes the q of the most specific entry that fits.
#
# What happens: "text/csv;q=0" matches text/csv: the result is true, with q 0.0, unless one looks at its q.
# And of "application/json;q=0.5, */*;q=0.8" the best for a choice of JSON and CSV is whichever is named
# first, since both fit */*, which is looked at first: JSON counts as 0.8 in spite of its own 0.5.
#
# Why it matters: an export is sent in the one format that the client said it cannot take.
#
# Output seen:
#     text/csv | text/csv or application/json -> text/csv (true: True)
#     image/svg+xml | text/csv or application/json -> None (true: False)
#     text/csv;q=0 | text/csv or application/json -> text/csv (true: True)
#     text/csv;q=0, */* | text/csv -> text/csv (true: True)
#     application/json;q=0.5, */*;q=0.8 | application/json or text/csv -> application/json (true: True)
#     application/json;q=0.5, */*;q=0.8 | text/csv or application/json -> text/csv (true: True)
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-cache-dir sanic==25.12.1 tracerite==2.6.5 2>pip.log || { cat pip.log; exit 1; }

venv/bin/python - >seen <<'END'
from sanic.headers import parse_accept

for header, offers in (
    ("text/csv", ("text/csv", "application/json")),
    ("image/svg+xml", ("text/csv", "application/json")),
    ("text/csv;q=0", ("text/csv", "application/json")),
    ("text/csv;q=0, */*", ("text/csv",)),
    ("application/json;q=0.5, */*;q=0.8", ("application/json", "text/csv")),
    ("application/json;q=0.5, */*;q=0.8", ("text/csv", "application/json")),
):
    found = parse_accept(header).match(*offers)
    print(f"{header} | {' or '.join(offers)} -> {found.mime if found else None} (true: {bool(found)})")
END

cat >expected <<'END_OF_EXPECTED'
text/csv | text/csv or application/json -> text/csv (true: True)
image/svg+xml | text/csv or application/json -> None (true: False)
text/csv;q=0 | text/csv or application/json -> text/csv (true: True)
text/csv;q=0, */* | text/csv -> text/csv (true: True)
application/json;q=0.5, */*;q=0.8 | application/json or text/csv -> application/json (true: True)
application/json;q=0.5, */*;q=0.8 | text/csv or application/json -> text/csv (true: True)
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
