#!/usr/bin/env bash
# polars 2.1.0: a DataFrame from rows is typed by the first hundred, and the others are made to fit.
#
# Guess: a value that does not fit the type found is an error: from columns it is one, and a text among
# numbers is one as well.
#
# What happens: from dicts or tuples a fraction in row 101 of whole numbers loses its digits after the point
# (2.5 is 2), a number in row 101 of truths is False (7 is False), a key that is new in row 101 is left out;
# no error, no warning. The same with a schema given by hand: Int64 takes 2.5 as 2.
#
# Why it matters: a table made of parsed lines is right in every test with less than a hundred of them.
#
# Output seen:
#     dicts, 99 before   : {'x': 2.5}
#     dicts, 100 before  : {'x': 2}
#     tuples, 100 before : {'x': 2}
#     truths, 100 before : {'x': False}
#     new key in row 101 : {'x': 1}
#     text in row 101    : ComputeError
#     dicts, Int64 given : {'x': 2}
#     columns            : TypeError
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-cache-dir polars==2.1.0 2>pip.log || { cat pip.log; exit 1; }

venv/bin/python - >seen <<'END'
import polars as pl

def attempt(name, make):
    try:
        print(f"{name}: {make()[-1].to_dicts()[0]}")
    except (TypeError, pl.exceptions.PolarsError) as error:
        print(f"{name}: {type(error).__name__}")

attempt("dicts, 99 before   ", lambda: pl.DataFrame([{"x": 1}] * 99 + [{"x": 2.5}]))
attempt("dicts, 100 before  ", lambda: pl.DataFrame([{"x": 1}] * 100 + [{"x": 2.5}]))
attempt("tuples, 100 before ", lambda: pl.DataFrame([(1,)] * 100 + [(2.5,)], schema=["x"], orient="row"))
attempt("truths, 100 before ", lambda: pl.DataFrame([{"x": True}] * 100 + [{"x": 7}]))
attempt("new key in row 101 ", lambda: pl.DataFrame([{"x": 1}] * 100 + [{"x": 1, "y": 2}]))
attempt("text in row 101    ", lambda: pl.DataFrame([{"x": 1}] * 100 + [{"x": "two"}]))
attempt("dicts, Int64 given ", lambda: pl.DataFrame([{"x": 2.5}], schema={"x": pl.Int64}))
attempt("columns            ", lambda: pl.DataFrame({"x": [1] * 100 + [2.5]}))
END

cat >expected <<'END_OF_EXPECTED'
dicts, 99 before   : {'x': 2.5}
dicts, 100 before  : {'x': 2}
tuples, 100 before : {'x': 2}
truths, 100 before : {'x': False}
new key in row 101 : {'x': 1}
text in row 101    : ComputeError
dicts, Int64 given : {'x': 2}
columns            : TypeError
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
