#!/usr/bin/env bash
# runit 2.1.2 (Debian 2.1.2-54), s6 2.11.3.2 (Debian 2.11.3.2-1) and daemontools 0.76 (Debian 1:0.76-8.1).
#
# Guess: svlogd, s6-log and multilog write all that they are sent; a last line that lacks its newline, when the program
# that wrote it has ended, is written as it is or with a newline.
#
# svlogd and s6-log throw the last line away if it does not end in a newline, without a word and with the exit code 0.
# multilog, whose way of working both follow, adds the newline.
#
# Who looks for the reason of a crash: what a program says last, before it dies in the middle of a print, is what is
# missing; and the last line of a log that is piped through either to be split is not there.
#
# Seen (each line after #> is compared):
#
#> svlogd, the last line ends in '': exit code 0, one|two
#> svlogd, the last line ends in '\n': exit code 0, one|two|last words
#> s6-log, the last line ends in '': exit code 0, one|two
#> s6-log, the last line ends in '\n': exit code 0, one|two|last words
#> multilog, the last line ends in '': exit code 0, one|two|last words
#> multilog, the last line ends in '\n': exit code 0, one|two|last words

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
packages=(
    runit=2.1.2-54 s6=2.11.3.2-1 libs6-2.11=2.11.3.2-1 libskarnet2.13=2.13.1.1-1 libexecline2.9=2.9.3.0-1 daemontools=1:0.76-8.1
)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
LD_LIBRARY_PATH=$(find "$work/tree" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH

export PATH=$work/tree/usr/bin:$PATH
for logger in svlogd s6-log multilog; do
    for end in '' '\n'; do
        rm -rf log
        mkdir log
        # shellcheck disable=SC2059 # The end is a part of the format.
        printf "one\ntwo\nlast words$end" | $logger ./log
        echo "$logger, the last line ends in '$end': exit code $?, $(paste -sd'|' log/current)"
    done
done >seen

if ! diff <(sed -n 's/^#> \{0,1\}//p' "$script") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
