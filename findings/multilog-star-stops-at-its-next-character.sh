#!/usr/bin/env bash
# daemontools 0.76 (Debian 1:0.76-8.1): a star in a multilog pattern never goes back.
#
# Guess: '+* 404 *' picks every line that has " 404 " in it, as a shell's pattern would.
#
# What happens: a star takes everything up to the first character that stands after it in the pattern, and
# that choice is final. '* 404 *' fits only lines whose first space is followed by "404 ", so no line of an
# access log fits. '+*error*' fits "error at once" but not "the server said error", since the star stops at
# the first e ("the"). Nothing warns: the lines are not there.
#
# Why it matters: who lets multilog sort an access log by status imports a log that is nearly empty, or
# drops nothing where it should have dropped.
#
# Output seen:
#     error at once
#     first 404 here
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

# Debian's packages, unpacked in the temporary folder: nothing is installed.
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(daemontools=1:0.76-8.1)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done

cat >access.log <<'END'
198.51.100.1 - - [01/Aug/2024:10:00:00 +0000] "GET /gone HTTP/1.1" 404 153
error at once
the server said error
first 404 here
END
tree/usr/bin/multilog '-*' '+* 404 *' '+*error*' ./picked <access.log
cat picked/current >seen

cat >expected <<'END_OF_EXPECTED'
error at once
first 404 here
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
