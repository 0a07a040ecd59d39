#!/usr/bin/env bash
# daemontools 0.76 (Debian 1:0.76-8.1) and s6 2.11.3.2 (Debian 2.11.3.2-1): one stamp format, two clocks.
#
# Guess: a TAI64N label ("@4000...") says one instant, whichever of the two wrote it.
#
# What happens: daemontools adds a fixed 10 seconds to Unix time; s6 counts the leap seconds since 1972 as
# well, which makes 37. Lines stamped by both at once differ by 27 seconds, and each one's reader shows the
# other's stamps 27 seconds off. The labels themselves do not say which clock they are of.
#
# Why it matters: a log stamped by multilog and read with s6-tai64nlocal (or merged with one of s6-log) is
# 27 seconds wrong: enough to change the order of visits, their day at midnight, and what counts as double.
#
# Output seen:
#     One stamp as each of them reads it:
#     2024-07-31 23:49:19.000000000 line
#     2024-07-31 23:48:52.000000000 line
#     Two stamps of now, the later less the earlier, in whole seconds:
#     27
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

# Debian's packages, unpacked in the temporary folder: nothing is installed.
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(daemontools=1:0.76-8.1 s6=2.11.3.2-1 libs6-2.11=2.11.3.2-1 libskarnet2.13=2.13.1.1-1 libexecline2.9=2.9.3.0-1)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
LD_LIBRARY_PATH=$(find "$work/tree" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH

bin=$work/tree/usr/bin
seconds() { read -r stamp _; echo $((16#${stamp:2:15})); }
{
    echo 'One stamp as each of them reads it:'
    echo '@4000000066aacd8900000000 line' | "$bin/tai64nlocal"
    echo '@4000000066aacd8900000000 line' | "$bin/s6-tai64nlocal"
    echo 'Two stamps of now, the later less the earlier, in whole seconds:'
    first=$(echo line | "$bin/tai64n" | seconds)
    second=$(echo line | "$bin/s6-tai64n" | seconds)
    # A second may have begun between the two.
    difference=$((second - first))
    [ "$difference" = 28 ] && difference=27
    echo "$difference"
} >seen

cat >expected <<'END_OF_EXPECTED'
One stamp as each of them reads it:
2024-07-31 23:49:19.000000000 line
2024-07-31 23:48:52.000000000 line
Two stamps of now, the later less the earlier, in whole seconds:
27
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
