"""A client for tests: sends requests as a user, and reads whole responses."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

import aiohttp
from multidict import CIMultiDictProxy

from tests.support.document_checks import note_mismatches


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The `code` of a problem."""
        assert self.headers["Content-Type"] == "application/problem+json", self.body
        code: str = self.json["code"]
        return code

    @property
    def pointers(self) -> list[str]:
        """The JSON pointers of a 422."""
        return [error["pointer"] for error in self.json["errors"]]


@dataclass(frozen=True, slots=True)
class Client:
    """Sends `token` with each request, if it has one. `signed_in` makes a client that has."""

    session: aiohttp.ClientSession
    token: str | None = None

    def signed_in(self, token: str) -> "Client":
        return Client(self.session, token)

    async def request(self, method: str, path: str, **options: Any) -> Answer:
        headers = dict(options.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        async with self.session.request(
            method, path, headers=headers, allow_redirects=False, **options
        ) as response:
            answer = Answer(response.status, response.headers, await response.read())
        note_mismatches(
            method, response.url, options, status=answer.status, headers=answer.headers, body=answer.body
        )
        return answer

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> Answer:
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Any) -> Answer:
        return await self.request("PUT", path, **options)

    async def patch(self, path: str, **options: Any) -> Answer:
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Any) -> Answer:
        return await self.request("DELETE", path, **options)


@dataclass(frozen=True, slots=True)
class User:
    """An account with a live token. `client` sends requests as it."""

    id: int
    login: str
    token: str
    session_id: uuid.UUID
    client: Client
