#!/usr/bin/env bash
# polars 2.1.0 and pandas 3.1.1.
#
# Guess: join_asof(strategy="nearest"), where two rows are as far away, takes the earlier one, as merge_asof does; if it
# takes a later one, then that which strategy="forward" takes.
#
# It takes the later one. And of several rows at that later time it takes the last, where "forward" takes the first, so that
# its answer is one that neither "backward" nor "forward" gives. merge_asof of pandas takes the earlier time, and of a later
# time the first row; pandas' own get_indexer(method="nearest") takes the later time again.
#
# Who finds the nearest price, campaign or position for a visit: logs have whole seconds, samples whole minutes, so one of sixty
# visits is as far from both, and has another answer by the other library.
#
# Seen (each line after #> is compared):
#
#> of rows at [0, 60]         nearest  of 30: polars row 2 (at 60), pandas row 1 (at 0)
#> of rows at [0, 60]         forward  of 30: polars row 2 (at 60), pandas row 2 (at 60)
#> of rows at [0, 0, 60, 60]  nearest  of 30: polars row 4 (at 60), pandas row 2 (at 0)
#> of rows at [0, 0, 60, 60]  forward  of 30: polars row 3 (at 60), pandas row 3 (at 60)
#> of rows at [60, 60]        nearest  of 30: polars row 2 (at 60), pandas row 1 (at 60)
#> of rows at [60, 60]        forward  of 30: polars row 1 (at 60), pandas row 1 (at 60)
#> of rows at [20, 60]        nearest  of 30: polars row 1 (at 20), pandas row 1 (at 20)
#> of rows at [20, 60]        forward  of 30: polars row 2 (at 60), pandas row 2 (at 60)
#> pandas get_indexer of 30 in [0, 60]: at 60
#> seconds of an hour with another nearest minute: 60 of 3600

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet pandas==3.1.1 polars==2.1.0

"$work/venv/bin/python" >"$work/seen" <<'PYTHON'
import pandas as pd
import polars as pl

VISIT = {"at": [30]}


def polars(rows, strategy):
    return pl.DataFrame(VISIT).join_asof(pl.DataFrame(rows), on="at", strategy=strategy)["row"][0]


def pandas(rows, strategy):
    return pd.merge_asof(pd.DataFrame(VISIT), pd.DataFrame(rows), on="at", direction=strategy)["row"][0]


for times in ([0, 60], [0, 0, 60, 60], [60, 60], [20, 60]):
    rows = {"at": times, "row": [f"row {row} (at {at})" for row, at in enumerate(times, 1)]}
    for strategy in ("nearest", "forward"):
        print(f"of rows at {str(times):15} {strategy:8} of 30: polars {polars(rows, strategy)}, pandas {pandas(rows, strategy)}")
print("pandas get_indexer of 30 in [0, 60]: at", [0, 60][pd.Index([0, 60]).get_indexer([30], method="nearest")[0]])
minutes, seconds = {"at": range(0, 3601, 60), "minute": range(0, 3601, 60)}, {"at": range(3600)}
ours = pl.DataFrame(seconds).join_asof(pl.DataFrame(minutes), on="at", strategy="nearest")["minute"]
theirs = pd.merge_asof(pd.DataFrame(seconds), pd.DataFrame(minutes), on="at", direction="nearest")["minute"]
print("seconds of an hour with another nearest minute:", sum(a != b for a, b in zip(ours, theirs, strict=True)), "of 3600")
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
