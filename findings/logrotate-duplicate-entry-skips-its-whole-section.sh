#!/usr/bin/env bash
# logrotate 3.21.0 (Debian 3.21.0-1): a file named twice takes all the files of the second section with it.
#
# Guess: if access.log has a section of its own and "*.log" follows, logrotate complains about access.log
# and rotates the others of "*.log".
#
# What happens: it complains about access.log, and skips the second section as a whole: shop.log and
# films.log, which are named nowhere else, are not rotated either. "ignoreduplicates" in the first
# section does what one would have guessed.
#
# Why it matters: one exception written before a wildcard ends the rotation of every other log; they grow
# until the disk is full, and an importer that waits for rotated files never sees one.
#
# Output seen:
#     plain: exit 1: access.log.1 films.log shop.log
#     duplicate log entry
#     with-ignoreduplicates: exit 0: access.log.1 films.log.1 shop.log.1
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

try() {
    mkdir "$1"
    for log in access films shop; do echo line >"$1/$log.log"; done
    cat >"$1.conf" <<END
$work/$1/access.log {
    $2
    size 1
    rotate 9
}
$work/$1/*.log {
    size 1
    rotate 2
}
END
    chmod 600 "$1.conf"
    local code=0
    tree/usr/sbin/logrotate -s "$work/state-$1" "$1.conf" >"$1.out" 2>&1 || code=$?
    echo "$1: exit $code: $(cd "$1" && ls | paste -sd' ')"
    grep -o 'duplicate log entry' "$1.out" || true
}
{
    try plain ''
    try with-ignoreduplicates ignoreduplicates
} >seen

cat >expected <<'END_OF_EXPECTED'
plain: exit 1: access.log.1 films.log shop.log
duplicate log entry
with-ignoreduplicates: exit 0: access.log.1 films.log.1 shop.log.1
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
