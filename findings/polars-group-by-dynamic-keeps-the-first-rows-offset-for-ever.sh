#!/usr/bin/env bash
# polars 2.1.0: windows of some hours, in a zone with summer time, depend on the first row of the data.
#
# Guess: group_by_dynamic(every="6h") makes windows that begin at 00:00, 06:00, 12:00 and 18:00 local time, as
# dt.truncate("6h") does, whatever else is in the data; around a clock change one of them is odd.
#
# What happens: the windows are laid out from the first row on, in steps of six real hours. If the first row
# is from before a clock change, all the windows after it are an hour off, for months: 01:00, 07:00, 13:00.
# The same visits of June are in other windows when the data begin in June. Windows of a day or more, and of
# one hour, are not concerned.
#
# Why it matters: a chart "by 6 hours" changes its bars when older data are added, and two queries of one
# table do not agree.
#
# Output seen:
#     June alone       group_by_dynamic 01 Jun 06:00, x1 01 Jun 12:00, x2 01 Jun 18:00, x1
#     June alone       dt.truncate      01 Jun 06:00, x1 01 Jun 12:00, x2 01 Jun 18:00, x1
#     and one of March group_by_dynamic 01 Mar 12:00, x1 01 Jun 01:00, x1 01 Jun 07:00, x1 01 Jun 13:00, x2
#     and one of March dt.truncate      01 Mar 12:00, x1 01 Jun 06:00, x1 01 Jun 12:00, x2 01 Jun 18:00, x1
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-cache-dir polars==2.1.0 2>pip.log || { cat pip.log; exit 1; }

venv/bin/python - >seen <<'END'
from datetime import datetime

import polars as pl

WINTER, JUNE = datetime(2024, 3, 1, 12), [datetime(2024, 6, 1, hour, 30) for hour in (4, 10, 11, 16)]
for name, times in (("June alone", JUNE), ("and one of March", [WINTER, *JUNE])):
    visits = pl.DataFrame({"at": times}).with_columns(
        pl.col("at").dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Berlin")
    )
    windows = visits.group_by_dynamic("at", every="6h").agg(pl.len())
    truncated = visits.group_by(pl.col("at").dt.truncate("6h"), maintain_order=True).len()
    for kind, rows in (("group_by_dynamic", windows), ("dt.truncate     ", truncated)):
        print(f"{name:16} {kind}", *(f"{at} x{n}" for at, n in zip(rows["at"].dt.to_string("%d %b %H:%M,"), rows["len"])))
END

cat >expected <<'END_OF_EXPECTED'
June alone       group_by_dynamic 01 Jun 06:00, x1 01 Jun 12:00, x2 01 Jun 18:00, x1
June alone       dt.truncate      01 Jun 06:00, x1 01 Jun 12:00, x2 01 Jun 18:00, x1
and one of March group_by_dynamic 01 Mar 12:00, x1 01 Jun 01:00, x1 01 Jun 07:00, x1 01 Jun 13:00, x2
and one of March dt.truncate      01 Mar 12:00, x1 01 Jun 06:00, x1 01 Jun 12:00, x2 01 Jun 18:00, x1
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
