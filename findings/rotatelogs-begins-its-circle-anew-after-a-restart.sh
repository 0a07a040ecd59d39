#!/usr/bin/env bash
# rotatelogs of Apache 2.4.71 (Debian 2.4.71-1~deb12u1), with -n; the clock is set with libfaketime 0.9.10.
#
# Guess: "-n 3" keeps the three newest pieces, also over restarts of the server: rotatelogs goes on in the newest, or
# takes the oldest one's place.
#
# It begins with the file without a number each time, whichever was in use before. If its size is the limit, that file
# is full: it goes on to .1 and empties it, be it the newest. Restarts that come before .1 is full empty it again and
# again, so that all that is kept is its last lines and two pieces that grow old. If time is the limit, new lines are
# appended to the file without a number, behind those of the oldest day; the days between stand in the other files.
#
# Who imports: each restart of Apache loses newer lines than it keeps, or makes a file that jumps over days; no order of
# the names is the order of time.
#
# Seen (each line after #> is compared):
#
#> 1 kilobyte; 1a to 1g are written:
#>     log: 1a 1b 1c
#>     log.1: 1d 1e 1f
#>     log.2: 1g
#> a restart, 1h and 1i:
#>     log: 1a 1b 1c
#>     log.1: 1h 1i
#>     log.2: 1g
#> a restart, 1j:
#>     log: 1a 1b 1c
#>     log.1: 1j
#>     log.2: 1g
#> 1 day; 1a and 1b on the first day, 2a on the second, 3a on the third:
#>     log: 1a 1b
#>     log.1: 2a
#>     log.2: 3a
#> a restart, 3b:
#>     log: 1a 1b 3b
#>     log.1: 2a
#>     log.2: 3a

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC
work=$(mktemp -d)
stop() {
    for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT
script=$(realpath "${BASH_SOURCE[0]}")
cd "$work"

# Debian's packages, unpacked in the temporary folder: nothing is installed.
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(libfaketime=0.9.10-2.1 apache2-utils=2.4.71-1~deb12u1 libapr1=1.7.2-3+deb12u1 libaprutil1=1.6.3-1+deb12u1)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
LD_LIBRARY_PATH=$(find "$work/tree" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH

filler=$(head -c 400 /dev/zero | tr '\0' x)
# Write each line when the one before is in a file, for the limits are looked at once for each read.
lines() {
    local number
    for number in "$@"; do
        echo "2024-06-0${number:0:1} 12:00:00" >clock
        echo "$number $filler"
        until grep -qs "^$number " logs/*; do sleep 0.05; done
    done
}
run() {
    local limit=$1
    shift
    lines "$@" | LD_PRELOAD=$faketime FAKETIME_TIMESTAMP_FILE="$work/clock" FAKETIME_NO_CACHE=1 \
        tree/usr/bin/rotatelogs -n 3 "$work/logs/log" "$limit"
    for file in logs/*; do echo "    ${file#logs/}: $(grep -o '^[0-9a-z]*' "$file" | paste -sd' ')"; done
}
faketime=$(find "$work/tree" -name libfaketime.so.1)
{
    mkdir logs
    echo "1 kilobyte; 1a to 1g are written:"
    run 1K 1a 1b 1c 1d 1e 1f 1g
    echo "a restart, 1h and 1i:"
    run 1K 1h 1i
    echo "a restart, 1j:"
    run 1K 1j
    rm -r logs
    mkdir logs
    echo "1 day; 1a and 1b on the first day, 2a on the second, 3a on the third:"
    run 86400 1a 1b 2a 3a
    echo "a restart, 3b:"
    run 86400 3b
} >seen

if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
