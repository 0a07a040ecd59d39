#!/usr/bin/env bash
# prometheus-client 0.26.0: one NaN in a histogram.
#
# Guess: observe(nan) is an error, or is counted in the bucket "+Inf" (its count goes up) as other clients do.
#
# What happens: no bucket takes it, so the count stays as it was, but the sum takes it and is NaN from then on.
# Averages (sum by count) are NaN until the process is started anew; the count gives no hint of when it
# happened. A Summary counts it.
#
# Why it matters: a duration or a rate that was divided by a zero time once (an empty import) empties the
# average of all the others.
#
# Output seen:
#     histogram_seconds_bucket{le="1.0"} 1.0
#     histogram_seconds_bucket{le="2.0"} 2.0
#     histogram_seconds_bucket{le="+Inf"} 2.0
#     histogram_seconds_count 2.0
#     histogram_seconds_sum NaN
#     summary_seconds_count 3.0
#     summary_seconds_sum NaN
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-cache-dir prometheus-client==0.26.0 2>pip.log || { cat pip.log; exit 1; }

venv/bin/python - >seen <<'END'
from prometheus_client import CollectorRegistry, Histogram, Summary, generate_latest

registry = CollectorRegistry()
seconds = Histogram("histogram_seconds", "Histogram.", buckets=[1, 2], registry=registry)
other = Summary("summary_seconds", "Summary.", registry=registry)
for value in (0.5, float("nan"), 1.5):
    seconds.observe(value)
    other.observe(value)
print(*(line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#") and "created" not in line), sep="\n")
END

cat >expected <<'END_OF_EXPECTED'
histogram_seconds_bucket{le="1.0"} 1.0
histogram_seconds_bucket{le="2.0"} 2.0
histogram_seconds_bucket{le="+Inf"} 2.0
histogram_seconds_count 2.0
histogram_seconds_sum NaN
summary_seconds_count 3.0
summary_seconds_sum NaN
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
