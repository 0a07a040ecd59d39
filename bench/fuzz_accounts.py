"""The accounts of a fuzzer: it makes them anew when its requests have ended them."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from bench.hostile_requests import Known
from bench.own_trawl import ADMIN
from bench.wire import exchange

SOURCE = "127.1.0.1"  # sign-ins are limited by address, and hostile ones come from others
PASSWORDS = ("correct horse battery", "wrong horse battery")
SECONDS = 60.0
TRIES = 5
EVENT_ID = "0d9c6f3a-5b1e-4f7a-9a51-3f1f6d2c8e40"
EVENT = {"user_id": 7, "event_type": "view"}
LIST_PATHS = (
    "/visits",
    "/tasks",
    "/events",
    "/user/all",
    "/admin/auth-events",
    "/visits/stats?group_by=page",
)


@dataclass(slots=True)
class Accounts:
    """The tokens of the callers, by their names."""

    port: int
    tokens: dict[str, str] = field(default_factory=dict)
    renewals: int = 0
    _number: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def call(self, method: str, path: str, body: Any = None, *, caller: str = "") -> tuple[int, Any]:
        """Send a proper request; returns its status and its JSON."""
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        if caller:
            head += f"Authorization: {self.tokens[caller]}\r\n"
        response = await exchange(
            self.port, f"{head}\r\n".encode() + data, source=SOURCE, method=method, seconds=SECONDS
        )
        assert response is not None, f"{method} {path} got no answer"
        return response.status, json.loads(response.body or b"null")

    async def renew(self, caller: str, token: str) -> None:
        """Get the caller a token that is valid, unless somebody has done so since it had this one."""
        async with self._lock:
            if self.tokens.get(caller, "") != token:
                return
            self.renewals += 1
            if caller == "key":
                for _ in range(TRIES):  # a hostile request may end the admin's session meanwhile
                    await self._sign_in("admin")
                    if await self._make_key():
                        return
                raise AssertionError("no key can be made")
            if not await self._sign_in(caller):
                await self._sign_up()

    async def _sign_in(self, caller: str) -> bool:
        for password in PASSWORDS:
            login = ADMIN["login"] if caller == "admin" else f"fuzz {self._number}"
            status, answer = await self.call("POST", "/login", {"login": login, "password": password})
            if status == 200:
                self.tokens[caller] = answer["access_token"]
                return True
        assert caller != "admin", "the admin can't sign in any more"
        return False

    async def _sign_up(self) -> None:
        self._number += 1
        account = {"login": f"fuzz {self._number}", "password": PASSWORDS[0]}
        status, answer = await self.call("POST", "/register", account)
        assert status == 201, answer
        assert await self._sign_in("user")

    async def _make_key(self) -> bool:
        key = {"name": "fuzz", "scopes": ["tasks:read", "visits:read", "events:write"]}
        status, answer = await self.call("POST", "/keys", key, caller="admin")
        if status == 401:
            return False
        assert status == 201, answer
        self.tokens["key"] = answer["key"]
        return True


async def prepare(accounts: Accounts) -> Known:
    """Make accounts and rows, and learn what exists."""
    for caller in ("admin", "user", "key"):
        await accounts.renew(caller, "")
    call = accounts.call
    for status in ("victim one", "victim two"):
        await call("POST", "/register", {"login": status, "password": PASSWORDS[0]})
    _, log = await call("GET", "/parse?wait=60", caller="admin")
    for title in ("one", "two", "three"):
        await call("POST", "/tasks", {"title": title}, caller="user")
    events = [
        EVENT | {"event_id": f"{EVENT_ID[:-1]}{day}", "occurred_at": f"2024-05-0{day}T00:00:00Z"}
        for day in range(1, 9)
    ]
    await call("POST", "/events", {"events": events}, caller="admin")
    pages = [
        (await call("GET", f"{path}{'&' if '?' in path else '?'}limit=1", caller=caller))[1]
        for path in LIST_PATHS
        for caller in (("user",) if "admin" not in path else ("admin",))
    ]
    _, users = await call("GET", "/admin/users", caller="admin")
    ids = {user["login"]: user["id"] for user in users["items"]}
    visits = (await call("GET", "/visits?limit=3", caller="user"))[1]["items"]
    tasks = (await call("GET", "/tasks", caller="user"))[1]["items"]
    parameters = {
        "visit_id": [str(visit["id"]) for visit in visits],
        "task_id": [str(task["id"]) for task in tasks],
        "import_id": [str(log["id"])],
        "user_id": [str(ids["victim one"]), str(ids["victim two"])],
        "number": [str(number) for number in range(9)],
        "kinopoisk_id": ["301", "1"],
        "name": ["main.js", "trawl.css"],
        "page": ["a", "a/b", "fresh_fish/salmon/"],
    }
    return Known(parameters, [page["next"] for page in pages if page.get("next")], ids[ADMIN["login"]])
