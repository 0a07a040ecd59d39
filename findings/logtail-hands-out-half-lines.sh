#!/usr/bin/env bash
# logtail 1.4.2 (Debian 1.4.2+deb12u1): a line that is still being written is handed out in two halves.
#
# Guess: logtail works by lines, as its name and its use for log checks say: a last line without its newline
# waits for the next call.
#
# What happens: it prints all bytes up to the end of the file and remembers that place. The next call begins
# in the middle of the line. Neither half is a line of the log; the second may even look like one.
#
# Why it matters: a cron job that feeds an importer from logtail rejects two broken lines, or counts a wrong
# one, whenever it runs while the server is flushing a buffer (nginx with buffer=, Apache's BufferedLogs).
#
# Output seen:
#     first call:  GET /a 200|GET /films?ta
#     second call: g=new 200|GET /b 200
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

# Debian's packages, unpacked in the temporary folder: nothing is installed.
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(logtail=1.4.2+deb12u1)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done

{
    printf 'GET /a 200\nGET /films?ta' >access.log
    echo "first call:  $(tree/usr/sbin/logtail access.log | paste -sd'|')"
    printf 'g=new 200\nGET /b 200\n' >>access.log
    echo "second call: $(tree/usr/sbin/logtail access.log | paste -sd'|')"
} >seen

cat >expected <<'END_OF_EXPECTED'
first call:  GET /a 200|GET /films?ta
second call: g=new 200|GET /b 200
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
