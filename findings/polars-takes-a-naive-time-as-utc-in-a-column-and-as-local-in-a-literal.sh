#!/usr/bin/env bash
# polars 2.1.0: what a time without a zone means, where a zone is wanted.
#
# Guess: a naive datetime for a column of type Datetime("us", "Asia/Tokyo") is an error, or is the local time
# of Tokyo; in any case the same for a column and for a literal of that type.
#
# What happens: in a Series and in a DataFrame it is taken for UTC, so 12:00 becomes 21:00; in pl.lit with the
# same type it stays 12:00. And a list that begins with a naive time makes a naive column in which the times
# with a zone are silently put as UTC: 12:00 and "12:00 +02:00" become 12:00 and 10:00. Rows with both are an
# error, columns are not.
#
# Why it matters: a filter made with pl.lit and a column made of the same Python values are nine hours apart.
#
# Output seen:
#     Series:    2024-01-01 21:00:00.000000+09:00
#     DataFrame: 2024-01-01 21:00:00.000000+09:00
#     lit:       2024-01-01 12:00:00.000000+09:00
#     naive, then +02:00: Datetime(time_unit='us', time_zone=None) 2024-01-01 12:00:00.000000 2024-01-01 10:00:00.000000
#     the same as rows: SchemaError
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-cache-dir polars==2.1.0 2>pip.log || { cat pip.log; exit 1; }

venv/bin/python - >seen <<'END'
from datetime import datetime, timedelta, timezone

import polars as pl

TOKYO = pl.Datetime("us", "Asia/Tokyo")
noon = datetime(2024, 1, 1, 12)
aware = noon.replace(tzinfo=timezone(timedelta(hours=2)))
print("Series:   ", pl.Series([noon], dtype=TOKYO).cast(pl.String)[0])
print("DataFrame:", pl.DataFrame([(noon,)], schema={"at": TOKYO}, orient="row")["at"].cast(pl.String)[0])
print("lit:      ", pl.select(pl.lit(noon, dtype=TOKYO).cast(pl.String)).item())
mixed = pl.DataFrame({"at": [noon, aware]})["at"]
print("naive, then +02:00:", mixed.dtype, *mixed.cast(pl.String))
try:
    pl.DataFrame([(noon,), (aware,)], schema=["at"], orient="row")
except pl.exceptions.SchemaError as error:
    print("the same as rows:", type(error).__name__)
END

cat >expected <<'END_OF_EXPECTED'
Series:    2024-01-01 21:00:00.000000+09:00
DataFrame: 2024-01-01 21:00:00.000000+09:00
lit:       2024-01-01 12:00:00.000000+09:00
naive, then +02:00: Datetime(time_unit='us', time_zone=None) 2024-01-01 12:00:00.000000 2024-01-01 10:00:00.000000
the same as rows: SchemaError
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
