#!/usr/bin/env bash
# lnav 0.11.1 (Debian 0.11.1-3): the time of a line that comes late is another in its tables.
#
# Guess: log_time in lnav's table of an access log is the time that stands in the line, so that counting by it
# counts as any other reader of the log does.
#
# What happens: log_time never goes back. A line that is older than the one before it (a slow request, which is
# logged when it ends and stamped with its beginning) gets the time of that one; its own is in the hidden column
# log_actual_time, which "SELECT *" does not show. Offsets are not read either: 13:30 +0200, which is 11:30 UTC,
# counts as 13:30, and all that follows stays there until the log has come to 13:30 by itself. Nothing is said.
#
# Why it matters: whoever checks counts by hour with lnav, over a log that several hosts or slow requests wrote,
# finds lines in hours to which they do not belong.
#
# Output seen:
#     log_time, log_actual_time, path
#     10:59:58 10:59:58 /a
#     11:00:02 11:00:02 /b
#     11:00:02 10:59:40 /slow
#     13:30:00 13:30:00 /other-offset
#     13:30:00 11:40:00 /c
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC HOME=$work

# Debian's packages, unpacked in the temporary folder with the libraries that this machine lacks: nothing is installed.
mkdir -p lists/partial cache/archives/partial
apt_get() { apt-get -qq -o APT::Sandbox::User=root -o Dir::Cache="$work/cache" -o Debug::NoLocking=true "$@"; }
download() { apt_get "$@" --yes --no-install-recommends --reinstall --download-only install lnav=0.11.1-3 >/dev/null 2>&1; }
if ! download; then
    apt_get -o Dir::State::Lists="$work/lists" update >/dev/null
    download -o Dir::State::Lists="$work/lists"
fi
for package in cache/archives/*.deb; do dpkg-deb -x "$package" tree; done
LD_LIBRARY_PATH=$(find "$work/tree" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH

line() { echo "198.51.100.1 - - [01/Aug/2024:$1] \"GET $2 HTTP/1.1\" 200 10 \"-\" \"curl/8.9.1\""; }
{
    line '10:59:58 +0000' /a
    line '11:00:02 +0000' /b
    line '10:59:40 +0000' /slow
    line '13:30:00 +0200' /other-offset
    line '11:40:00 +0000' /c
} >access.log
{
    echo 'log_time, log_actual_time, path'
    tree/usr/bin/lnav -n -c ';SELECT log_time, log_actual_time, cs_uri_stem FROM access_log' -c ':write-csv-to -' access.log \
        | sed -n 's/^2024-08-01 \([0-9:]*\)[.0-9]*,2024-08-01 \([0-9:]*\)[.0-9]*,/\1 \2 /p'
} >seen

cat >expected <<'END_OF_EXPECTED'
log_time, log_actual_time, path
10:59:58 10:59:58 /a
11:00:02 11:00:02 /b
11:00:02 10:59:40 /slow
13:30:00 13:30:00 /other-offset
13:30:00 11:40:00 /c
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
