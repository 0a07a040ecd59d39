#!/usr/bin/env bash
# polars 2.1.0, numpy 2.4.6.
#
# Guess: sum() of a column of small integers is computed in 64 bits, as numpy does, or is refused when it does not fit;
# and a count less another count is a signed number, as it is for diff().
#
# 8 and 16 bits are widened to 64, so that tests with those show a safe sum. 32 bits stay 32 bits, and wrap without a
# word: two numbers make a negative sum, or 0 if unsigned. So it is in group_by, over, cum_sum and the streaming engine.
# mean() is right, so that mean times rows is another number than the sum. And what counts is 32 bits wide and
# unsigned: len, count, the sum of a condition. A day with one visit less than the day before has 4294967295 more by
# shift(1), and one less by diff().
#
# Who sums: a column of bytes or cents that is a 32-bit integer in Parquet or Arrow keeps that type, and its sum is
# wrong from 2 GiB on.
#
# Seen (each line after #> is compared):
#
#> type    largest + 1  sum          group_by     cum_sum      streaming    mean * 2
#> Int8    128          128          128          128          128          128
#> UInt16  65536        65536        65536        65536        65536        65536
#> Int32   2147483648   -2147483648  -2147483648  -2147483648  -2147483648  2147483648
#> UInt32  4294967296   0            0            0            0            4294967296
#> numpy, int32: 2147483648
#> day, visits, films, other: (1, 3, 2, 1) (2, 2, 1, 1)
#> shift  [None, 4294967295]
#> diff   [None, -1]
#> less   [4294967295, 0]

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet polars==2.1.0 numpy==2.4.6

"$work/venv/bin/python" >"$work/seen" <<'PYTHON'
import numpy as np
import polars as pl

print("type    largest + 1  sum          group_by     cum_sum      streaming    mean * 2")
for dtype, largest in ((pl.Int8, 2**7 - 1), (pl.UInt16, 2**16 - 1), (pl.Int32, 2**31 - 1), (pl.UInt32, 2**32 - 1)):
    frame = pl.DataFrame({"page": ["/", "/"], "bytes": pl.Series([largest, 1], dtype=dtype)})
    total = pl.col("bytes").sum()
    sums = (
        frame["bytes"].sum(),
        frame.group_by("page").agg(total)["bytes"].item(),
        frame["bytes"].cum_sum()[-1],
        frame.lazy().select(total).collect(engine="streaming").item(),
        int(frame["bytes"].mean() * 2),
    )
    print(f"{dtype!s:7} {largest + 1:<12}", *(f"{number:<12}" for number in sums))
print("numpy, int32:", np.array([2**31 - 1, 1], dtype=np.int32).sum())

visits = pl.DataFrame({"day": [1, 1, 1, 2, 2], "page": ["/films", "/films", "/", "/films", "/"]})
by_day = visits.group_by("day", maintain_order=True).agg(
    visits=pl.len(), films=pl.col("page").eq("/films").sum(), other=pl.col("page").eq("/").sum()
)
print("day, visits, films, other:", *by_day.rows())
changes = by_day.select(
    shift=pl.col("visits") - pl.col("visits").shift(1),
    diff=pl.col("visits").diff(),
    less=pl.col("other") - pl.col("films"),
)
for name in changes.columns:
    print(f"{name:6}", changes[name].to_list())
PYTHON
sed -i 's/ *$//' "$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
