#!/usr/bin/env bash
# Webalizer 2.23.08 (Debian 2.23.08-3.3): offsets in the times of a combined log.
#
# Guess: two hosts write one log, one in UTC and one in +0200, line by line as requests come in. Each time says its
# offset, so Webalizer counts them all in the order they stand in; if it ignored offsets, hours would be mixed.
#
# What happens: the offset is not read, so the lines in UTC seem to be two hours late, and a line whose clock hour is
# two or more before that of the line before it is dropped. Of the western host there remain the lines of the full
# hour, which follow one of the other's hour before. The rest is told as "ignored", a word that also stands for what a
# configuration ignores, and the exit code is 0. With an hour between the hosts nothing is dropped, but the hours
# are mixed.
#
# Why it matters: totals of merged logs are short by one host, and only beside another reader of the log does it show.
#
# Output seen:
#     +0000 and +0200: 144 lines, 84 hits, ignored
#     +0000 and +0100: 144 lines, 144 hits
#     both in +0000: 144 lines, 144 hits
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

# Debian's packages, unpacked in the temporary folder with the libraries that this machine lacks: nothing is installed.
mkdir -p lists/partial cache/archives/partial
apt_get() { apt-get -qq -o APT::Sandbox::User=root -o Dir::Cache="$work/cache" -o Debug::NoLocking=true "$@"; }
download() { apt_get "$@" --yes --no-install-recommends --reinstall --download-only install webalizer=2.23.08-3.3 >/dev/null 2>&1; }
if ! download; then
    apt_get -o Dir::State::Lists="$work/lists" update >/dev/null
    download -o Dir::State::Lists="$work/lists"
fi
for package in cache/archives/*.deb; do dpkg-deb -x "$package" tree; done
LD_LIBRARY_PATH=$(find "$work/tree" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH

# A request every ten minutes in each host's own time; the second host's clock is so many hours ahead.
write() {
    local sixth at
    for sixth in $(seq 0 71); do
        at="%02d:$((sixth % 6))0:00"
        printf "198.51.100.1 - - [01/Aug/2024:$at +0000] \"GET /a HTTP/1.1\" 200 10\n" $((sixth / 6))
        printf "198.51.100.2 - - [01/Aug/2024:$at +0%d00] \"GET /b HTTP/1.1\" 200 10\n" $((sixth / 6 + $1)) "$1"
    done
}
count() {
    local ignored=
    write "$2" >access.log
    mkdir "report$2"
    tree/usr/bin/webalizer -o "report$2" access.log >told 2>&1
    ! grep -q ignored told || ignored=', ignored'
    # A month's line in the history: month, year, hits, …
    echo "$1: $(wc -l <access.log) lines, $(awk '$1 == 8 && $2 == 2024 {print $3}' "report$2/webalizer.hist") hits$ignored"
}
{
    count '+0000 and +0200' 2
    count '+0000 and +0100' 1
    count 'both in +0000' 0
} >seen

cat >expected <<'END_OF_EXPECTED'
+0000 and +0200: 144 lines, 84 hits, ignored
+0000 and +0100: 144 lines, 144 hits
both in +0000: 144 lines, 144 hits
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
