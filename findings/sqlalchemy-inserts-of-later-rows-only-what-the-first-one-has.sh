#!/usr/bin/env bash
# SQLAlchemy 2.1.9, with SQLite in memory (the same with PostgreSQL).
#
# Guess: execute(insert(table), rows), where rows are dicts that need not have the same keys, inserts each with what it has, as
# add_all and the same call with a mapped class do; or it is an error, as a name that is no column is with values().
#
# The first row's keys, and the columns with a default of their own, are the statement's columns. What a later row has
# besides is left out without a word, and in its place stands null; with insert(table), rows it is so even for a column with a
# default, which gets the default and not the value. values(rows) leaves out the same, of a mapped class too, but keeps what a
# column with a default has. A key that the first row alone has is an error. A name that is no column is left out as well, from
# the first row even, so that a slip of the pen ("tittle") gives null where values(row) raises.
#
# Who imports dicts from JSON, which leave out what is null: all depends on what the first line happens to have, and a test
# whose first row has all keys passes.
#
# Seen (each line after #> is compared):
#
#> a later row has more, insert(table), rows        (1, 'Alien', None, 1) (2, 'Brazil', None, 1)
#> a later row has more, insert(table).values(rows) (1, 'Alien', None, 1) (2, 'Brazil', None, 9)
#> a later row has more, insert(class).values(rows) (1, 'Alien', None, 1) (2, 'Brazil', None, 9)
#> a later row has more, insert(class), rows        (1, 'Alien', None, 1) (2, 'Brazil', 5, 9)
#> a later row has more, add_all                    (1, 'Alien', None, 1) (2, 'Brazil', 5, 9)
#> the first row has more, insert(table), rows      StatementError
#> no such column, insert(table), rows              (1, None, None, 1)
#> no such column, insert(table), row               (1, None, None, 1)
#> no such column, insert(table).values(row)        CompileError

set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet sqlalchemy==2.1.9

"$work/venv/bin/python" >"$work/seen" <<'PYTHON'
import sqlalchemy as sa
from sqlalchemy import orm


class Base(orm.DeclarativeBase):
    pass


class Film(Base):
    __tablename__ = "film"
    id = orm.mapped_column(sa.Integer, primary_key=True)
    title = orm.mapped_column(sa.Text)
    price = orm.mapped_column(sa.Integer)
    copies = orm.mapped_column(sa.Integer, default=1)


TABLE = Film.__table__
LATER_HAS_MORE = [{"id": 1, "title": "Alien"}, {"id": 2, "title": "Brazil", "price": 5, "copies": 9}]
FIRST_HAS_MORE = LATER_HAS_MORE[::-1]
NO_COLUMN = [{"id": 1, "tittle": "Alien"}]
engine = sa.create_engine("sqlite://")
Base.metadata.create_all(engine)


def show(what, insert):
    with orm.Session(engine) as session:
        try:
            insert(session)
            rows = session.execute(sa.select(TABLE).order_by(TABLE.c.id)).all()
        except sa.exc.SQLAlchemyError as error:
            rows = [type(error).__name__]
    print(f"{what:48}", *rows)


show("a later row has more, insert(table), rows", lambda session: session.execute(sa.insert(TABLE), LATER_HAS_MORE))
show("a later row has more, insert(table).values(rows)", lambda session: session.execute(sa.insert(TABLE).values(LATER_HAS_MORE)))
show("a later row has more, insert(class).values(rows)", lambda session: session.execute(sa.insert(Film).values(LATER_HAS_MORE)))
show("a later row has more, insert(class), rows", lambda session: session.execute(sa.insert(Film), LATER_HAS_MORE))
show("a later row has more, add_all", lambda session: session.add_all([Film(**row) for row in LATER_HAS_MORE]))
show("the first row has more, insert(table), rows", lambda session: session.execute(sa.insert(TABLE), FIRST_HAS_MORE))
show("no such column, insert(table), rows", lambda session: session.execute(sa.insert(TABLE), NO_COLUMN))
show("no such column, insert(table), row", lambda session: session.execute(sa.insert(TABLE), NO_COLUMN[0]))
show("no such column, insert(table).values(row)", lambda session: session.execute(sa.insert(TABLE).values(NO_COLUMN[0])))
PYTHON

if ! diff <(sed -n 's/^#> \{0,1\}//p' "${BASH_SOURCE[0]}") "$work/seen"; then
    echo "changed: lines marked < were seen with the versions above" >&2
    exit 1
fi
echo "as found"
