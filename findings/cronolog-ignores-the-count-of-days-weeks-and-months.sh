#!/usr/bin/env bash
# cronolog 1.6.2 (Debian 1.6.2+rpk-3; the clock is set with libfaketime 0.9.10): "7 days" is one day.
#
# Guess: --period="7 days" starts a new file every seventh day, as "10 minutes" does every tenth minute.
#
# What happens: the count is honoured for minutes and hours alone. "7 days" ends at the next midnight, "2
# weeks" at the end of the week, "3 months" at the end of the month. And a week is Sunday to Saturday, though
# the same program's %W in a name counts weeks from Monday. The options are taken without a warning.
#
# Why it matters: the names say when a file ends. Who imports "one file a fortnight" reads half of it.
#
# Output seen:
#     10 minutes: 06/05-10:20 to 06/05-10:30
#     6 hours: 06/05-06:00 to 06/05-12:00
#     7 days: 06/05-00:00 to 06/06-00:00
#     2 weeks: 06/02-00:00 to 06/09-00:00
#     3 months: 06/01-00:00 to 07/01-00:00
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

# Debian's packages, unpacked in the temporary folder: nothing is installed.
apt_get() { apt-get -qq -o APT::Sandbox::User=root "$@"; }
own_lists() { apt_get -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" "$@"; }
packages=(cronolog=1.6.2+rpk-3 libfaketime=0.9.10-2.1)
if ! apt_get download "${packages[@]}" 2>/dev/null; then
    mkdir -p lists/partial cache/archives/partial
    own_lists update >/dev/null && own_lists download "${packages[@]}"
fi
for package in *.deb; do dpkg-deb -x "$package" tree; done

faketime=$(find "$work/tree" -name libfaketime.so.1)
try() {
    rm -f debug
    # It ends with 3 at the end of its input.
    echo line | LD_PRELOAD=$faketime FAKETIME='2024-06-05 10:20:30' tree/usr/bin/cronolog -x debug --period="$1" "$work/out-%Y%m%d%H%M.log" || true
    sed -n "s|.*from 2024/\(.*\):00 UTC .*until 2024/\(.*\):00 UTC .*|$1: \1 to \2|p" debug
}
{
    for period in '10 minutes' '6 hours' '7 days' '2 weeks' '3 months'; do try "$period"; done
} >seen

cat >expected <<'END_OF_EXPECTED'
10 minutes: 06/05-10:20 to 06/05-10:30
6 hours: 06/05-06:00 to 06/05-12:00
7 days: 06/05-00:00 to 06/06-00:00
2 weeks: 06/02-00:00 to 06/09-00:00
3 months: 06/01-00:00 to 07/01-00:00
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
