#!/usr/bin/env bash
# numpy 2.4.6.
#
# Guess: functions whose names begin with nan leave out what is missing, be it NaN or, of times and durations, NaT; the
# manual's isnan and sort know NaT. If one did not know durations it would say so.
#
# nanmax, nanmin and nanmedian leave NaT out. nansum, nanmean and nancumsum do not: one missing duration makes the sum and
# the mean NaT, without a word, as if the names had no nan; nanstd alone refuses durations. count_nonzero counts NaT as a
# duration that is not zero, and isin never finds it, though unique makes one of several.
#
# Who computes a mean by day has none for each day on which one length is missing; the maximum beside it is there.
#
# Seen (each line after #> is compared):
#
#> nanmax    of durations: 90 seconds; of the same as floats: 90.0
#> nanmin    of durations: 30 seconds; of the same as floats: 30.0
#> nanmedian of durations: 60 seconds; of the same as floats: 60.0
#> nansum    of durations: NaT; of the same as floats: 180.0
#> nanmean   of durations: NaT; of the same as floats: 60.0
#> nancumsum of durations: [   30   120 'NaT' 'NaT']; of the same as floats: [ 30. 120. 120. 180.]
#> nanstd    of durations: TypeError; of the same as floats: 24.49489742783178
#> count_nonzero of 0, 30 and NaT: 2
#> isin of NaT in a list with NaT: [ True  True False  True]
#> unique of NaT, 30 and NaT: [   30 'NaT']

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet numpy==2.4.6

"$work/venv/bin/python" -W error >"$work/seen" <<'PYTHON'
import numpy as np

LENGTHS = np.array([30, 90, "NaT", 60], dtype="m8[s]")
SAME = np.array([30, 90, np.nan, 60])
for name in ("nanmax", "nanmin", "nanmedian", "nansum", "nanmean", "nancumsum", "nanstd"):
    function = getattr(np, name)
    try:
        of_durations = str(function(LENGTHS))
    except TypeError as error:
        of_durations = type(error).__name__
    print(f"{name:9} of durations: {of_durations}; of the same as floats: {function(SAME)}")
print("count_nonzero of 0, 30 and NaT:", np.count_nonzero(np.array([0, 30, "NaT"], dtype="m8[s]")))
print("isin of NaT in a list with NaT:", np.isin(LENGTHS, LENGTHS))
print("unique of NaT, 30 and NaT:", np.unique(np.array(["NaT", 30, "NaT"], dtype="m8[s]")))
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
