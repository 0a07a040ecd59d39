#!/usr/bin/env bash
# cronolog 1.6.2 (Debian 1.6.2+rpk-3; the clock is set with libfaketime 0.9.10): the day clocks go forward.
#
# Guess: with a period of 6 hours, all that is written between midnight and 6 goes to the file of that day's
# hour 00, on every day.
#
# What happens: on 31 March 2024 in Berlin, started before 02:00 it writes to the file of "31 March, 00".
# Started after 03:00 it takes the start of the same period to be 23:00 of the evening before, and writes to
# "30 March, 23". So a server that is restarted that night splits one period over two files, and the second
# of them is named for a day and an hour that it has nothing of. In October it is "27 October, 01".
#
# Why it matters: an import that takes a day's files by their names leaves out hours of that night, or reads
# them with the wrong day.
#
# Output seen:
#     2024-03-31 01:30:00: out-03-31-00.log
#     2024-03-31 03:30:00: out-03-30-23.log
#     2024-03-31 06:30:00: out-03-31-06.log
#     2024-10-27 00:30:00: out-10-27-00.log
#     2024-10-27 04:30:00: out-10-27-01.log
#     2024-10-28 04:30:00: out-10-28-00.log
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

# Debian's packages, unpacked in the temporary folder: nothing is installed.
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(cronolog=1.6.2+rpk-3 libfaketime=0.9.10-2.1)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done

faketime=$(find "$work/tree" -name libfaketime.so.1)
try() {
    rm -f out-*
    echo line | TZ=Europe/Berlin LD_PRELOAD=$faketime FAKETIME="$1" tree/usr/bin/cronolog --period='6 hours' "$work/out-%m-%d-%H.log" || true # it ends with 3 at the end of its input
    echo "$1: $(echo out-*)"
}
{
    try '2024-03-31 01:30:00'
    try '2024-03-31 03:30:00'
    try '2024-03-31 06:30:00'
    try '2024-10-27 00:30:00'
    try '2024-10-27 04:30:00'
    try '2024-10-28 04:30:00'
} >seen

cat >expected <<'END_OF_EXPECTED'
2024-03-31 01:30:00: out-03-31-00.log
2024-03-31 03:30:00: out-03-30-23.log
2024-03-31 06:30:00: out-03-31-06.log
2024-10-27 00:30:00: out-10-27-00.log
2024-10-27 04:30:00: out-10-27-01.log
2024-10-28 04:30:00: out-10-28-00.log
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
