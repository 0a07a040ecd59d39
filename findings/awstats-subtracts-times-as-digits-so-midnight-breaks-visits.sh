#!/usr/bin/env bash
# AWStats 7.8 (Debian 7.8-3+deb12u2): it subtracts times as the numbers YYYYMMDDhhmmss.
#
# Guess: a visit ends after an hour without a request, and a line that comes up to two hours late is still
# counted (so its source says), whatever the time of day.
#
# What happens: 23:58 and 00:01 of the next day are three minutes apart, but their digits differ by more than
# an hour's: the visitor is counted as two visits. And a line of 23:59:59 that stands one second late, after
# one of 00:00:00, is dropped as "corrupted", while one that stands 90 minutes late at noon is counted.
#
# Why it matters: logs are written in the order in which requests end, so every busy midnight has late lines.
# Who compares visits and lines with AWStats finds more visits and fewer lines there.
#
# Output seen:
#     three-minutes-at-noon: 1 visits, 0 corrupted records, 2 new qualified records
#     three-minutes-at-midnight: 2 visits, 0 corrupted records, 2 new qualified records
#     ninety-minutes-late-at-noon: 2 visits, 0 corrupted records, 2 new qualified records
#     one-second-late-at-midnight: 1 visits, 1 corrupted records, 1 new qualified records
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

# Debian's packages, unpacked in the temporary folder: nothing is installed.
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(awstats=7.8-3+deb12u2)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done

line() { echo "198.51.100.$1 - - [$2 +0000] \"GET $3 HTTP/1.1\" 200 10 \"-\" \"Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0\""; }
count() {
    mkdir "$1"
    cat >"$1.log"
    cat >"$1/awstats.shop.conf" <<END
LogFile="$work/$1.log"
LogType=W
LogFormat=1
SiteDomain="shop.test"
HostAliases="shop.test"
DirData="$work/$1"
DNSLookup=0
END
    perl tree/usr/lib/cgi-bin/awstats.pl -config=shop -configdir="$work/$1" -update >"$1.out" 2>&1
    echo "$1: $(sed -n 's/^TotalVisits *\([0-9]*\).*/\1 visits/p' "$1"/awstats*.txt | paste -sd,)," \
        "$(grep -oE '[0-9]+ (corrupted|new qualified) records' "$1.out" | paste -sd, | sed 's/,/, /')"
}
{
    { line 1 01/Aug/2024:12:00:00 /a; line 1 01/Aug/2024:12:03:00 /b; } | count three-minutes-at-noon
    { line 1 01/Aug/2024:23:58:00 /a; line 1 02/Aug/2024:00:01:00 /b; } | count three-minutes-at-midnight
    { line 1 01/Aug/2024:12:00:00 /a; line 2 01/Aug/2024:10:30:00 /b; } | count ninety-minutes-late-at-noon
    { line 1 02/Aug/2024:00:00:00 /a; line 2 01/Aug/2024:23:59:59 /b; } | count one-second-late-at-midnight
} >seen

cat >expected <<'END_OF_EXPECTED'
three-minutes-at-noon: 1 visits, 0 corrupted records, 2 new qualified records
three-minutes-at-midnight: 2 visits, 0 corrupted records, 2 new qualified records
ninety-minutes-late-at-noon: 2 visits, 0 corrupted records, 2 new qualified records
one-second-late-at-midnight: 1 visits, 1 corrupted records, 1 new qualified records
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
