#!/usr/bin/env bash
# logrotate 3.21.0 (Debian 3.21.0-1): a lower "rotate" count removes one file too few, unless files have dates.
#
# Guess: after "rotate 6" became "rotate 2", the next rotation removes every file beyond the second.
#
# What happens: with numbered files only the first one beyond the new count (.3) is removed; .4, .5 and .6
# stay for ever, and no later rotation looks at them. With "dateext" all the surplus goes at once.
#
# Why it matters: a retention promise ("we keep two weeks") is not kept by the log's own files, and an
# import of FILE.* takes months-old lines in.
#
# Output seen:
#     access.log.1 access.log.2 access.log.4 access.log.5 access.log.6
#     access.log-20240106 access.log-TODAY
#     numbers, rotated once more:
#     access.log.1 access.log.2 access.log.4 access.log.5 access.log.6
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

# Debian's packages, unpacked in the temporary folder: nothing is installed.
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(logrotate=3.21.0-1 libpopt0=1.19+dfsg-1)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done
LD_LIBRARY_PATH=$(find "$work/tree" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH

mkdir numbers dates
for number in 1 2 3 4 5 6; do
    echo "$number" >"numbers/access.log.$number"
    echo "$number" >"dates/access.log-2024010$number"
done
echo now | tee numbers/access.log >dates/access.log
cat >numbers.conf <<END
$work/numbers/access.log {
    size 1
    rotate 2
}
END
cat >dates.conf <<END
$work/dates/access.log {
    size 1
    rotate 2
    dateext
    dateformat -%Y%m%d
}
END
chmod 600 ./*.conf
{
    for kind in numbers dates; do
        tree/usr/sbin/logrotate -s "$work/state-$kind" "$kind.conf"
        # The date of the run itself is of no interest.
        (cd "$kind" && ls | sed "s/$(date +%Y%m%d)/TODAY/" | paste -sd' ')
    done
    echo 'numbers, rotated once more:'
    echo now >numbers/access.log
    tree/usr/sbin/logrotate -s "$work/state-numbers" numbers.conf
    (cd numbers && ls | paste -sd' ')
} >seen

cat >expected <<'END_OF_EXPECTED'
access.log.1 access.log.2 access.log.4 access.log.5 access.log.6
access.log-20240106 access.log-TODAY
numbers, rotated once more:
access.log.1 access.log.2 access.log.4 access.log.5 access.log.6
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
