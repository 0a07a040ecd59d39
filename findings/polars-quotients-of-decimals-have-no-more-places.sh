#!/usr/bin/env bash
# polars 2.1.0; Python's Decimal and DuckDB 2.0.1 beside it.
#
# Guess: a product of decimals has the places of both (1.05 * 1.05 is 1.1025), and a quotient has more places than its
# operands, as in SQL and in Python's Decimal; so two decimals without places give 0.666..., as two integers do.
#
# A product and a quotient have as many places as the operand with more of them: 1.05 * 1.05 is 1.10, and 2 / 3 of decimals
# without places is 1, while 2 / 3 of integers is 0.666.... What is cut is rounded each time, half to even. So the order of
# operations decides: 100 * 1 / 3 with two places is 33.33, 1 / 3 * 100 is 33.00. mean() is a float and not concerned.
#
# Who computes shares or taxes from decimals (a count that came from PostgreSQL's sum of bigint is a decimal without
# places) has shares that are 0 or 1, and cents that are off, of exactly the type that one takes lest cents be off.
#
# Seen (each line after #> is compared):
#
#> 1.05 * 1.05: polars 1.10, Python 1.1025, DuckDB 1.1025
#> 19.99 * 0.19: polars 3.80, Python 3.7981, DuckDB 3.7981
#> 2 / 3: polars 1, Python 0.666667, DuckDB 0.666667
#> 1 / 3: polars 0, Python 0.333333, DuckDB 0.333333
#> 5 / 2: polars 2, Python 2.5, DuckDB 2.5
#> 1.00 / 3: polars 0.33, Python 0.333333, DuckDB 0.333333
#> 1.00 / 3.0000: polars 0.3333, Python 0.333333, DuckDB 0.333333
#> 1.00 * 100 / 3: 33.33 and 1.00 / 3 * 100: 33.00
#> of integers 2 / 3: 0.6666666666666666

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet polars==2.1.0 duckdb==2.0.1

"$work/venv/bin/python" >"$work/seen" <<'PYTHON'
from decimal import Decimal

import duckdb
import polars as pl


def show(left, operator, right):
    """Show what a operator b is, in polars as decimals, in Python, and in DuckDB with the places of the texts."""
    frame = pl.DataFrame({"a": [Decimal(left)], "b": [Decimal(right)]})
    a, b = pl.col("a"), pl.col("b")
    seen = frame.select(x=a * b if operator == "*" else a / b).item()
    exact = Decimal(left) * Decimal(right) if operator == "*" else Decimal(left) / Decimal(right)
    print(f"{left} {operator} {right}: polars {seen}, Python {exact:.6}, DuckDB {duckdb.sql(f'SELECT {left} {operator} {right}').fetchall()[0][0]:.6}")


show("1.05", "*", "1.05")
show("19.99", "*", "0.19")
show("2", "/", "3")
show("1", "/", "3")
show("5", "/", "2")
show("1.00", "/", "3")
show("1.00", "/", "3.0000")
frame = pl.DataFrame({"a": [Decimal("1.00")]})
share = frame.select(first=pl.col("a") * 100 / 3, last=pl.col("a") / 3 * 100)
print("1.00 * 100 / 3:", share["first"].item(), "and 1.00 / 3 * 100:", share["last"].item())
print("of integers 2 / 3:", pl.select(pl.lit(2) / pl.lit(3)).item())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
