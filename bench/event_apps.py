"""The references for POST /events: the least code that stores a batch, and the usual code."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Annotated, Any

import asyncpg
import msgspec
import orjson
from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sanic import Request, Sanic
from sanic.response import HTTPResponse
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from db.engine import DRIVER, connector
from db.models import Event

POOL_SIZE = 10
INSERT = (
    "INSERT INTO event (event_id, user_id, event_type, occurred_at, properties) SELECT * FROM unnest"
    "($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[], $5::jsonb[]) ON CONFLICT DO NOTHING"
)


class BareEvent(msgspec.Struct):
    event_id: uuid.UUID
    user_id: int
    event_type: str
    occurred_at: datetime
    properties: msgspec.Raw


class BareBatch(msgspec.Struct):
    events: list[BareEvent]


def sanic_app(postgres_url: str) -> Any:
    """Make an app with one msgspec decoder and one unnest insert."""
    app: Sanic[Any, Any] = Sanic("bare", configure_logging=False)
    app.config.update({"MOTD": False, "ACCESS_LOG": False, "REQUEST_MAX_SIZE": 2**25})
    decoder = msgspec.json.Decoder(BareBatch)

    @app.before_server_start
    async def connect(app: Sanic[Any, Any]) -> None:
        app.ctx.pool = await asyncpg.create_pool(postgres_url, min_size=POOL_SIZE, max_size=POOL_SIZE)

    @app.after_server_stop
    async def disconnect(app: Sanic[Any, Any]) -> None:
        await app.ctx.pool.close()

    @app.post("/events")
    async def create_events(request: Request) -> HTTPResponse:
        events = decoder.decode(request.body).events
        status = await app.ctx.pool.execute(
            INSERT,
            [event.event_id for event in events],
            [event.user_id for event in events],
            [event.event_type for event in events],
            [event.occurred_at for event in events],
            [bytes(event.properties).decode() for event in events],
        )
        created = int(status.rpartition(" ")[2])
        return HTTPResponse(orjson.dumps({"created": created}), content_type="application/json")

    return app


class ModelEvent(BaseModel):
    event_id: uuid.UUID
    user_id: int
    event_type: str
    occurred_at: datetime
    properties: dict[str, Any]


class ModelBatch(BaseModel):
    events: list[ModelEvent]


def fastapi_app(postgres_url: str) -> Any:
    """Make the same with FastAPI: pydantic models, and the ORM's add_all."""
    engine = create_async_engine(DRIVER, async_creator=connector(postgres_url, {}), pool_size=POOL_SIZE)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await engine.dispose()

    async def open_session() -> AsyncIterator[AsyncSession]:
        async with sessions() as session:
            yield session

    async def create_events(
        batch: ModelBatch, session: Annotated[AsyncSession, Depends(open_session)]
    ) -> dict[str, int]:
        session.add_all([Event(**event.model_dump()) for event in batch.events])
        await session.commit()
        return {"created": len(batch.events)}

    app = FastAPI(lifespan=lifespan)
    app.add_api_route("/events", create_events, methods=["POST"])
    vars(app)["ctx"] = SimpleNamespace()  # where the server notes that it is draining
    return app
