#!/usr/bin/env bash
# cronosplit 1.6.2 (Debian's cronolog 1.6.2+rpk-3): valid lines disappear while a log is split by date.
#
# Guess: a tool that sorts the lines of a log into files by their date loses none; at worst it puts those it
# cannot read somewhere, or says so by its exit code.
#
# What happens: three kinds of lines that Apache writes are in none of the new files: a request with a quote
# in it (Apache escapes it as \"), a user name with a bracket, and a time with the second 60. Exit code 0 and
# no message (--print-invalid must be given to see them). An escaped quote in the user agent does no harm.
#
# Why it matters: an archive that was once split by cronosplit has fewer lines than the log had; an import of
# it can be compared with nothing.
#
# Output seen:
#     exit 0
#     GET /films GET /agent GET /user GET /leap GET /next
#     day-20240801.log:GET /agent
#     day-20240802.log:GET /next
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

# Debian's packages, unpacked in the temporary folder: nothing is installed.
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(cronolog=1.6.2+rpk-3)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done

cat >access.log <<'END'
198.51.100.1 - - [01/Aug/2024:23:30:00 +0000] "GET /films?q=\"x\" HTTP/1.1" 200 5
198.51.100.1 - - [01/Aug/2024:23:30:01 +0000] "GET /agent HTTP/1.1" 200 5 "-" "say \"hi\""
198.51.100.1 - anna[1] [01/Aug/2024:23:59:59 +0000] "GET /user HTTP/1.1" 200 5
198.51.100.1 - - [01/Aug/2024:23:59:60 +0000] "GET /leap HTTP/1.1" 200 5
198.51.100.1 - - [02/Aug/2024:00:00:01 +0000] "GET /next HTTP/1.1" 200 5
END
{
    perl tree/usr/bin/cronosplit --template=day-%Y%m%d.log access.log
    echo "exit $?"
    grep -o 'GET /[a-z]*' access.log | paste -sd' '
    grep -o 'GET /[a-z]*' day-*.log
} >seen

cat >expected <<'END_OF_EXPECTED'
exit 0
GET /films GET /agent GET /user GET /leap GET /next
day-20240801.log:GET /agent
day-20240802.log:GET /next
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
