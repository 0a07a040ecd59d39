#!/usr/bin/env bash
# mmdb-writer 0.2.7 and maxminddb 3.2.0, which reads what it wrote (Python).
#
# Guess: a GeoIP database gives back the values that were put in, with their types: 1 is 1, True is True, 1.0 is 1.0.
#
# Equal values are stored once for the whole file, and for Python 1, True and 1.0 are equal, as are 0, False and 0.0.
# All of them become what the lowest network has, whatever its name is there: with one {"vpn": True} at the lowest
# address, an accuracy radius of 1 km anywhere is true; if a lower network is added that has a 1, all flags are numbers.
# Within one network it is the first of its values. Other numbers are not touched, so that tests with 20 pass.
#
# Who writes a database of its own networks: a reader that looks at types (JSON, SQL, Go's and Rust's structs) gets
# true for a number, or 1.0 for a flag.
#
# Seen (each line after #> is compared):
#
#> numbers alone:
#>     10.2.0.0/16 put in {"radius": 1, "hits": 0, "share": 1.0}     got {"radius": 1, "hits": 0, "share": 1}
#> a flag in a lower network:
#>     10.2.0.0/16 put in {"radius": 1, "hits": 0, "share": 1.0}     got {"radius": true, "hits": false, "share": true}
#>     10.1.0.0/16 put in {"vpn": true, "anycast": false}            got {"vpn": true, "anycast": false}
#>     10.3.0.0/16 put in {"radius": 20, "share": 0.5}               got {"radius": 20, "share": 0.5}
#> numbers in a lower one:
#>     10.2.0.0/16 put in {"radius": 1, "hits": 0, "share": 1.0}     got {"radius": 1, "hits": 0, "share": 1}
#>     10.1.0.0/16 put in {"vpn": true, "anycast": false}            got {"vpn": 1, "anycast": 0}
#>     10.3.0.0/16 put in {"radius": 20, "share": 0.5}               got {"radius": 20, "share": 0.5}
#>     10.0.0.0/16 put in {"hits": 0, "radius": 1}                   got {"hits": 0, "radius": 1}

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet mmdb-writer==0.2.7 maxminddb==3.2.0 netaddr==1.3.0

"$work/venv/bin/python" - "$work/networks.mmdb" >"$work/seen" <<'PYTHON'
import json
import sys

import maxminddb
from mmdb_writer import MMDBWriter
from netaddr import IPSet

FLAGS = ("10.1.0.0/16", {"vpn": True, "anycast": False})
NUMBERS = ("10.2.0.0/16", {"radius": 1, "hits": 0, "share": 1.0})
LOWER = ("10.0.0.0/16", {"hits": 0, "radius": 1})
OTHERS = ("10.3.0.0/16", {"radius": 20, "share": 0.5})

for title, networks in (
    ("numbers alone", (NUMBERS,)),
    ("a flag in a lower network", (NUMBERS, FLAGS, OTHERS)),
    ("numbers in a lower one", (NUMBERS, FLAGS, OTHERS, LOWER)),
):
    writer = MMDBWriter(ip_version=4, database_type="networks")
    for network, values in networks:
        writer.insert_network(IPSet([network]), values)
    writer.to_db_file(sys.argv[1])
    print(f"{title}:")
    with maxminddb.open_database(sys.argv[1]) as reader:
        for network, values in networks:
            print(f"    {network} put in {json.dumps(values):42} got {json.dumps(reader.get(network.split('/')[0]))}")
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
