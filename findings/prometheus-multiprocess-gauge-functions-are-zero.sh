#!/usr/bin/env bash
# prometheus-client 0.26.0: Gauge.set_function with several processes.
#
# Guess: with PROMETHEUS_MULTIPROC_DIR set, a gauge with a function is shown with its value, or set_function
# is refused, or the gauge is missing.
#
# What happens: it is shown, as 0, once for each process: the function is never called. Counter.reset() takes
# only the own process's part away, and Info and Enum, which the manual names as not working, are missing.
#
# Why it matters: "seconds since the last import" or "open connections", the usual things for a function, are
# a plausible 0 for ever as soon as a server runs with more than one worker.
#
# Output seen:
#     by_function{pid="PID"} 0.0
#     by_function{pid="PID"} 0.0
#     by_set{pid="PID"} 5.0
#     by_set{pid="PID"} 5.0
#     lines_total 10.0
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-cache-dir prometheus-client==0.26.0 2>pip.log || { cat pip.log; exit 1; }

cat >worker.py <<'END'
import sys

from prometheus_client import Counter, Gauge, Info

Gauge("by_function", "A gauge.").set_function(lambda: 5)
Gauge("by_set", "A gauge.").set(5)
counter = Counter("lines", "A counter.")
counter.inc(10)
if sys.argv[1] == "resets":
    counter.reset()
Info("build", "An info.").info({"version": "1"})
END
mkdir metrics
export PROMETHEUS_MULTIPROC_DIR=$work/metrics
venv/bin/python worker.py counts
venv/bin/python worker.py resets
venv/bin/python - >all <<'END'
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

registry = CollectorRegistry()
MultiProcessCollector(registry)
print(generate_latest(registry).decode())
END
grep -v -e '^#' -e '^$' all | sed 's/pid="[0-9]*"/pid="PID"/' | sort >seen

cat >expected <<'END_OF_EXPECTED'
by_function{pid="PID"} 0.0
by_function{pid="PID"} 0.0
by_set{pid="PID"} 5.0
by_set{pid="PID"} 5.0
lines_total 10.0
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
