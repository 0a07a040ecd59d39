"""The migrations, walked up, down and up again on a real database, and held to the models."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from db.database import Database
from db.engine import create_engine
from db.migrate import current_revision, downgrade, migrate, newest_revision, upgrade
from db.models import Base

BEFORE_TRAFFIC = "0030"  # the revision before that of traffic in roll-ups


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


async def test_bots_are_counted_with_people_in_the_roll_ups_of_builds_before(committed_url: str) -> None:
    counts = text("SELECT day, source, is_bot, requests FROM country_day ORDER BY source, is_bot")
    engine = create_engine(committed_url, pool_size=1)
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO country_day (day, country, source, is_bot, requests) VALUES "
                "('2018-08-01Z', 'US', 'log', FALSE, 2), ('2018-08-01Z', 'US', 'log', TRUE, 3), "
                "('2018-08-01Z', 'US', 'api', TRUE, 5)"
            )
        )
        await connection.execute(
            text("INSERT INTO buyer (user_id, log, live, bot_log, bot_live) VALUES (7, 1, 0, 2, 3)")
        )
        await connection.execute(
            text(
                "INSERT INTO buyer_count (sources, traffic, purchases, users) VALUES "
                "('all', 'all', 6, 1), ('all', 'human', 1, 1), ('all', 'bot', 5, 1)"
            )
        )
        await connection.run_sync(lambda each: downgrade(each, BEFORE_TRAFFIC))
        await connection.run_sync(upgrade)
        rows = [tuple(row)[1:] for row in await connection.execute(counts)]
        buyers = (await connection.execute(text("SELECT * FROM buyer"))).all()
        users = await connection.execute(
            text("SELECT sources, traffic, purchases, users FROM buyer_count ORDER BY traffic")
        )
        assert rows == [("api", False, 5), ("log", False, 5)]
        assert [tuple(row) for row in buyers] == [(7, 3, 3, 0, 0)]
        assert [tuple(row) for row in users] == [("all", "all", 6, 1), ("all", "human", 6, 1)]
    await engine.dispose()
