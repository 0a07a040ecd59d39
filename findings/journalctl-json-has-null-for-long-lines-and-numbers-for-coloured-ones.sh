#!/usr/bin/env bash
# journalctl of systemd 252.39 (Debian 252.39-1~deb12u2).
#
# Guess: `journalctl -o json` is the output for programs, so it has all that `-o cat` shows to people: an object a line,
# whose MESSAGE is the line of the service, as a text.
#
# MESSAGE is a text for most lines alone. A line of 4,088 bytes (4,096 with the name of the field; a search with a long
# query, its referrer behind it) is null, with no other sign, unless --all is given. A line with a colour is a list of
# numbers, a byte each. For people, `-o cat` has both lines whole.
#
# Who ships an access log from the journal by `-o json`: the longest requests are lost without an error, and where one
# handler writes colours, a field changes its type in the middle of the stream.
#
# Seen (each line after #> is compared):
#
#> json:       text of 65, list of 74, text of 4087, null
#> json --all: text of 65, list of 74, text of 4087, text of 4088
#> cat:        65, 74, 4087, 4088

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC
work=$(mktemp -d)
script=$(realpath "${BASH_SOURCE[0]}")
trap 'rm -rf "$work"' EXIT
cd "$work"

# Debian's packages, unpacked in the temporary folder: nothing is installed.
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
version=252.39-1~deb12u2
packages=(systemd=$version libsystemd-shared=$version systemd-journal-remote=$version libmicrohttpd12)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
LD_LIBRARY_PATH=$(find "$work/tree" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH

python3 - >entries <<'END'
"""Write what `journalctl -o export` has of four lines of a service."""
import struct, sys

line = b'203.0.113.9 - - [TIME] "GET /films HTTP/1.1" 200 5 "-" "agent/10"'
coloured = b"\x1b[32m" + line + b"\x1b[0m"
for number, message in enumerate((line, coloured, line.ljust(4087, b"x"), line.ljust(4088, b"x"))):
    at = 1_000_000 * (number + 1)
    print(f"__REALTIME_TIMESTAMP={1_533_074_495_000_000 + at}\n__MONOTONIC_TIMESTAMP={at}", flush=True)
    print("_BOOT_ID=0123456789abcdef0123456789abcdef\nSYSLOG_IDENTIFIER=shop\nMESSAGE", flush=True)
    sys.stdout.buffer.write(struct.pack("<Q", len(message)) + message + b"\n\n")
    sys.stdout.flush()
END
tree/lib/systemd/systemd-journal-remote --output=lines.journal entries >remote.out 2>&1
cat >show.py <<'END'
import json, sys

shown = []
for line in sys.stdin:
    message = json.loads(line)["MESSAGE"]
    kind = {str: "text", list: "list"}.get(type(message))
    shown.append("null" if kind is None else f"{kind} of {len(message)}")
print(", ".join(shown))
END
journalctl() { tree/bin/journalctl --quiet --no-pager --file=lines.journal "$@"; }
{
    echo "json:       $(journalctl -o json | python3 show.py)"
    echo "json --all: $(journalctl -o json --all | python3 show.py)"
    echo "cat:        $(journalctl -o cat | awk '{ print length($0) }' | paste -sd, | sed 's/,/, /g')"
} >seen
if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") seen; then
    echo "changed: lines marked < were seen with the version above" >&2
    exit 1
fi
echo "as found"
