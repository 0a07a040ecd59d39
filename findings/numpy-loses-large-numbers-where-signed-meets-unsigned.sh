#!/usr/bin/env bash
# numpy 2.4.6: of signed and unsigned 64-bit numbers, some functions compare exactly and some by float.
#
# Guess: comparing int64 with uint64 is either exact everywhere or nowhere.
#
# What happens: ==, < and isin are exact. searchsorted and intersect1d make both float64 first, which has no
# room for the last bits above 2**53: intersect1d finds two common elements (equal floats) of two arrays that
# have none, and searchsorted answers a place too far to the left. No warning, since the promotion is "safe".
#
# Why it matters: hashes of visitors and offsets in large files are uint64 here and int64 there (PostgreSQL
# has only the latter). "Is it in the list?" is right with isin and wrong with the faster search.
#
# Output seen:
#     ==           [False, False]
#     <            [True, False]
#     isin         [False, False]
#     intersect1d  [1.152921504606847e+18, 1.152921504606847e+18]
#     searchsorted [0]
#     of one type  [1]
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-cache-dir numpy==2.4.6 2>pip.log || { cat pip.log; exit 1; }

venv/bin/python - >seen <<'END'
import numpy as np

signed = np.array([2**60 + 1, 2**60 + 3], np.int64)
key = np.array([2**60 + 2], np.uint64)
print("==          ", (signed == key).tolist())
print("<           ", (signed < key).tolist())
print("isin        ", np.isin(signed, key).tolist())
print("intersect1d ", np.intersect1d(signed, key).tolist())
print("searchsorted", np.searchsorted(signed, key).tolist())
print("of one type ", np.searchsorted(signed, key.astype(np.int64)).tolist())
END

cat >expected <<'END_OF_EXPECTED'
==           [False, False]
<            [True, False]
isin         [False, False]
intersect1d  [1.152921504606847e+18, 1.152921504606847e+18]
searchsorted [0]
of one type  [1]
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
