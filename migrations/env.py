"""Runs the migrations, on the connection that db.migrate hands over or on the one that the settings name."""

import asyncio

from alembic import context
from asyncpg import PostgresError
from sqlalchemy import Connection

from config import SettingsError, read_settings
from db.engine import create_single_engine
from db.models import Base
from db.unusable import describe_unusable
from embedded import EmbeddedError, open_servers


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


async def connect_and_run(url: str) -> None:
    engine = create_single_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


if context.is_offline_mode():
    raise SystemExit("migrations need a database: there is no offline mode")

handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    run(handed_over)
else:
    try:
        settings = read_settings()
    except SettingsError as error:
        raise SystemExit(f"trawl: {error}") from None
    # `alembic upgrade head`, with the embedded database unless a setting names another.
    try:
        with open_servers(settings.data_dir, postgres=settings.database_url is None, valkey=False) as servers:
            asyncio.run(connect_and_run(settings.database_url or str(servers.postgres_url)))
    except (OSError, PostgresError) as error:  # of the connection: those of statements are SQLAlchemy's
        raise SystemExit(f"trawl: {describe_unusable(settings.database_url or '', error)}") from None
    except EmbeddedError as error:
        raise SystemExit(f"trawl: {error}") from error
