#!/usr/bin/env bash
# GoAccess 1.7 (Debian 1:1.7-1): statuses it has no name for land in another status's class.
#
# Guess: a status outside its list (AWS's 460 and 463, Cloudflare's 530, nginx users' own ones) is counted
# by its first digit, as "4xx" or "5xx".
#
# What happens: every status without a name becomes one entry "Unknown", and that entry hangs under the
# class of whichever came last in the log. If a 299 is the last of them, all the 463s and 530s before it are
# "2xx Success"; if a client's 463 is the last, the same lines are "4xx Client Errors".
#
# Why it matters: who compares error counts with GoAccess finds errors among the successes, and a different
# answer as soon as one more line is written.
#
# Output seen:
#     463 530 530 299 304:
#         2xx Success: 4 (Unknown x4)
#         3xx Redirection: 1 (304 x1)
#     299 530 530 463 304:
#         4xx Client Errors: 4 (Unknown x4)
#         3xx Redirection: 1 (304 x1)
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

# Debian's packages, unpacked in the temporary folder: nothing is installed.
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(goaccess=1:1.7-1 libmaxminddb0=1.7.1-1 libncursesw6=6.4-4 libtinfo6=6.4-4)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
LD_LIBRARY_PATH=$(find "$work/tree" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH

line() { echo "198.51.100.1 - - [01/Aug/2024:10:00:0$2 +0000] \"GET /a HTTP/1.1\" $1 10 \"-\" \"Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0\""; }
count() {
    tree/usr/bin/goaccess "$1" --log-format=COMBINED --no-global-config --no-progress -o report.json >/dev/null 2>&1
    python3 - <<'END'
import json
for row in json.load(open("report.json"))["status_codes"]["data"]:
    items = ", ".join(f"{item['data'].split(' - ')[0]} x{item['hits']['count']}" for item in row["items"])
    print(f"    {row['data']}: {row['hits']['count']} ({items})")
END
}
{ line 463 1; line 530 2; line 530 3; line 299 4; line 304 5; } >success-last.log
{ line 299 1; line 530 2; line 530 3; line 463 4; line 304 5; } >client-last.log
{
    echo '463 530 530 299 304:'
    count success-last.log
    echo '299 530 530 463 304:'
    count client-last.log
} >seen

cat >expected <<'END_OF_EXPECTED'
463 530 530 299 304:
    2xx Success: 4 (Unknown x4)
    3xx Redirection: 1 (304 x1)
299 530 530 463 304:
    4xx Client Errors: 4 (Unknown x4)
    3xx Redirection: 1 (304 x1)
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
