"""The migrations, walked up, down and up again on a real database, and held to the models."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from db.database import Database
from db.engine import create_engine
from db.migrate import current_revision, downgrade, migrate, newest_revision, upgrade
from db.models import Base


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, Base.metadata))


def named_things(connection: Connection) -> set[tuple[str, ...]]:
    """What a database holds by name, whose difference between two runs would tell of leftovers."""
    rows = connection.execute(
        text(
            "SELECT 'relation', relname, relkind::text FROM pg_class "
            "WHERE relnamespace = 'public'::regnamespace "
            "UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace "
            "UNION ALL SELECT 'function', proname, '' FROM pg_proc "
            "WHERE pronamespace = 'public'::regnamespace "
            "UNION ALL SELECT 'type', typname, '' FROM pg_type WHERE typnamespace = 'public'::regnamespace"
        )
    )
    return {tuple(row) for row in rows}


async def test_migrations_go_down_to_nothing_and_up_again(committed_url: str) -> None:
    engine = create_engine(committed_url, pool_size=1)
    async with engine.begin() as connection:
        before = await connection.run_sync(named_things)
        assert await connection.run_sync(tables) == set(Base.metadata.tables) | {"alembic_version"}
        await connection.run_sync(downgrade)
        assert await connection.run_sync(tables) == {"alembic_version"}
        assert await connection.run_sync(current_revision) is None
        remains = await connection.run_sync(named_things)
        assert {name for kind, name, _ in remains if kind in ("function", "type")} <= {
            "alembic_version",
            "_alembic_version",
        }
        await connection.run_sync(upgrade)
        assert await connection.run_sync(current_revision) == newest_revision()
        assert await connection.run_sync(named_things) == before
    await engine.dispose()


async def test_migrations_make_what_the_models_say(committed_url: str) -> None:
    engine = create_engine(committed_url, pool_size=1)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_migrating_twice_changes_nothing_and_tells_the_revisions(
    committed_url: str, committed_db: Database
) -> None:
    newest = newest_revision()
    assert await migrate(committed_url) == (newest, newest)
    engine = create_engine(committed_url, pool_size=1)
    async with engine.begin() as connection:
        await connection.run_sync(downgrade)
    await engine.dispose()
    assert await migrate(committed_url) == (None, newest)
