#!/usr/bin/env bash
# logrotate 3.21.0 (Debian 3.21.0-1): adding "compress" to a section overwrites the newest rotated log.
#
# Guess: the plain access.log.1 and .2 from before move along to .2 and .3, and only new ones are compressed.
#
# What happens: with "compress" it looks for access.log.1.gz, .2.gz and so on alone. The plain .1 is not
# moved away: access.log is renamed on top of it, so the lines of .1 are gone, and the plain .2 is left
# behind for ever. Exit code 0, no message. Switching it off again loses nothing but leaves the .gz behind.
#
# Why it matters: lines of the last period that no importer has read yet are lost by a harmless-looking
# edit of the configuration.
#
# Output seen:
#     exit 0
#     access.log.1.gz: today
#     access.log.2: the day before
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

mkdir logs
echo 'today' >logs/access.log
echo 'yesterday' >logs/access.log.1
echo 'the day before' >logs/access.log.2
cat >logrotate.conf <<END
$work/logs/access.log {
    size 1
    rotate 5
    compress
}
END
chmod 600 logrotate.conf
(
    tree/usr/sbin/logrotate -s "$work/state" logrotate.conf
    echo "exit $?"
    cd logs
    for file in *; do echo "$file: $(zcat -f "$file")"; done
) >seen

cat >expected <<'END_OF_EXPECTED'
exit 0
access.log.1.gz: today
access.log.2: the day before
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
