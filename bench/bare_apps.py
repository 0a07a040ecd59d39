"""The references for requests: the least code that answers an authenticated GET, and the usual code."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Annotated, Any

import asyncpg
import jwt
import orjson
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict
from redis.asyncio import Redis
from sanic import Request, Sanic
from sanic.exceptions import Unauthorized
from sanic.response import HTTPResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from db.engine import DRIVER, connector
from db.models import Task

POOL_SIZE = 10
ROW = (
    "SELECT id, title, description, status, priority, due_at, created_at, updated_at "
    "FROM task WHERE id = $1 AND account_id = $2"
)
INSERT = (
    "INSERT INTO bare_visit (occurred_at, request_id, position, source, kind, user_id, address, page_url) "
    "VALUES ($1, $2, 0, 'api', 'other', $3, $4, $5)"
)


def sanic_app(postgres_url: str, redis_url: str, key: bytes) -> Any:
    """Make an app with PyJWT, one GET of Valkey, and one SELECT or INSERT by asyncpg."""
    app: Sanic[Any, Any] = Sanic("bare", configure_logging=False)
    app.config.update({"MOTD": False, "ACCESS_LOG": False})

    @app.before_server_start
    async def connect(app: Sanic[Any, Any]) -> None:
        app.ctx.pool = await asyncpg.create_pool(postgres_url, min_size=POOL_SIZE, max_size=POOL_SIZE)
        app.ctx.redis = Redis.from_url(redis_url)

    @app.after_server_stop
    async def disconnect(app: Sanic[Any, Any]) -> None:
        await app.ctx.pool.close()
        await app.ctx.redis.aclose()

    @app.get("/tasks/<task_id:int>")
    async def get_task(request: Request, task_id: int) -> HTTPResponse:
        claims = jwt.decode(request.token or "", key, algorithms=["HS256"], audience="trawl")
        user_id = await app.ctx.redis.get(f"bare:caller:{claims['jti']}")
        if user_id is None:
            raise Unauthorized("no session")
        row = await app.ctx.pool.fetchrow(ROW, task_id, int(user_id))
        return HTTPResponse(orjson.dumps(dict(row)), content_type="application/json")

    @app.post("/visits")
    async def record_visit(request: Request) -> HTTPResponse:
        claims = jwt.decode(request.token or "", key, algorithms=["HS256"], audience="trawl")
        user_id = await app.ctx.redis.get(f"bare:caller:{claims['jti']}")
        if user_id is None:
            raise Unauthorized("no session")
        page_url, visit_id = orjson.loads(request.body)["page_url"], str(uuid.uuid4())
        now = datetime.now(UTC)
        await app.ctx.pool.execute(INSERT, now, visit_id, int(user_id), request.ip, page_url)
        visit = {"id": visit_id, "user_id": int(user_id), "page_url": page_url, "timestamp": now.isoformat()}
        return HTTPResponse(orjson.dumps(visit), 201, content_type="application/json")

    return app


class TaskBody(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    description: str
    status: str
    priority: str
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime


def fastapi_app(postgres_url: str, redis_url: str, key: bytes) -> Any:
    """Make the same with FastAPI: dependencies, a pydantic response model, and SQLAlchemy's ORM."""
    engine = create_async_engine(
        DRIVER, async_creator=connector(postgres_url, {}), pool_size=POOL_SIZE, pool_pre_ping=True
    )
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    redis = Redis.from_url(redis_url)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await redis.aclose()
        await engine.dispose()

    async def open_session() -> AsyncIterator[AsyncSession]:
        async with sessions() as session:
            yield session

    async def find_user(authorization: Annotated[str, Header()]) -> int:
        claims = jwt.decode(
            authorization.removeprefix("Bearer "), key, algorithms=["HS256"], audience="trawl"
        )
        user_id = await redis.get(f"bare:caller:{claims['jti']}")
        if user_id is None:
            raise HTTPException(401)
        return int(user_id)

    async def get_task(
        task_id: int,
        user_id: Annotated[int, Depends(find_user)],
        session: Annotated[AsyncSession, Depends(open_session)],
    ) -> Any:
        return await session.scalar(select(Task).where(Task.id == task_id, Task.account_id == user_id))

    app = FastAPI(lifespan=lifespan)
    app.add_api_route("/tasks/{task_id}", get_task, response_model=TaskBody)
    vars(app)["ctx"] = SimpleNamespace()  # where the server notes that it is draining
    return app
