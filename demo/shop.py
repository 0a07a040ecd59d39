"""python -m demo.shop URL: fills a Trawl with a shop's data, then keeps it busy, until standard input ends.

The first line of standard input is the password of the admin `demo`.
"""

import asyncio
import random
import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from demo.activity import make_event, make_events
from demo.catalogue import FIRST_ID
from demo.walks import make_walk, make_walks

LOGIN = "demo"
BATCH = 5000
USERS_TODAY = 120
START_SECONDS = 120.0  # that the server may take to start
FRIENDS = ("boris", "clara", "dmitri")
TASKS = (
    ("Order salmon", "20 kg, for Friday", "todo", "high", 2),
    ("Call the harbour", "about the new pier", "in_progress", "normal", 5),
    ("New photos of the caviar", "", "todo", "low", None),
    ("Pay the ice", "", "done", "normal", -1),
)
SITE = {"name": "Shop", "origins": ["https://shop.example"]}
KEY = {"name": "till", "scopes": ["events:write", "visits:write"]}
FILMS = (1, 4, 13)  # the numbers of favourites in the catalogue
BROKEN_LOG = "this is not a line of a log\n" * 3 + (
    "shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 121.165.118.201 https://shop.example/caviar/\n"
)


class Shop:
    """Sends what the programs of a shop and its people would."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http
        self.rng = random.Random(7)

    async def post(self, path: str, body: Any = None, **options: Any) -> Any:
        async with self.http.post(path, json=body, **options) as response:
            response.raise_for_status()
            return await response.json()

    async def post_batches(self, path: str, name: str, items: list[dict[str, Any]]) -> None:
        for begin in range(0, len(items), BATCH):
            await self.post(path, {name: items[begin : begin + BATCH]})

    async def sign_in(self, login: str, password: str) -> None:
        tokens = await self.post("/login", {"login": login, "password": password})
        self.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    async def is_filled(self) -> bool:
        async with self.http.get("/events", params={"limit": "1"}) as response:
            response.raise_for_status()
            return bool((await response.json())["items"])

    async def fill(self, password: str) -> None:
        """Give every view of the dashboard something to show."""
        now = datetime.now(UTC)
        await self.post("/parse", params={"wait": "60"})
        await self.post_batches("/visits", "visits", make_walks(self.rng, now))
        await self.post_batches("/events", "events", make_events(self.rng, now))
        for login in FRIENDS:
            await self.post("/register", {"login": login, "password": password, "name": login.title()})
        async with self.http.post("/imports", params={"name": "broken.log"}, data=BROKEN_LOG) as response:
            response.raise_for_status()

    async def fill_account(self) -> None:
        """Give the account tasks, a site and a key."""
        now = datetime.now(UTC)
        for title, description, status, priority, days in TASKS:
            due_at = None if days is None else (now + timedelta(days=days)).isoformat()
            task = {"title": title, "description": description, "status": status, "priority": priority}
            await self.post("/tasks", {**task, "due_at": due_at})
        await self.post("/sites", SITE)
        await self.post("/keys", KEY)

    async def fill_favourites(self) -> None:
        """Give the account favourite films, which the film service knows."""
        for number in FILMS:
            await self.post("/movies/favorites", {"kinopoisk_id": FIRST_ID + number})

    async def stay_busy(self) -> None:
        """Send visits and events, more in one second than in the next, until it is cancelled."""
        while True:
            now = datetime.now(UTC)
            walks = [make_walk(self.rng, now) for _ in range(self.rng.randrange(1, 12))]
            visits = [{**next(walk), "timestamp": None} for walk in walks]
            await self.post("/visits", {"visits": visits})
            users = [self.rng.randrange(1, USERS_TODAY) for _ in range(self.rng.randrange(10, 90))]
            events = [make_event(self.rng, user, "view", now) for user in users]
            await self.post("/events", {"events": events})
            await asyncio.sleep(1)


async def wait_until_ready(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(START_SECONDS):
        while True:
            try:
                async with session.get(f"{url}/ready") as response:
                    if response.ok:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.2)


async def run_shop(url: str, password: str) -> None:
    await wait_until_ready(url)
    async with aiohttp.ClientSession(url) as http:
        shop = Shop(http)
        print("A shop is being invented; its account is told here in a moment", flush=True)
        await shop.sign_in(LOGIN, password)
        if not await shop.is_filled():
            await shop.fill(password)
            await shop.fill_account()
            await shop.fill_favourites()
        print(f"The shop is open. Sign in at {url}/dashboard", flush=True)
        print(f"  login: {LOGIN}\n  password: {password}", flush=True)
        shop.rng.seed()  # what it sends from now on is new
        while True:
            try:
                await shop.stay_busy()
            except aiohttp.ClientError:  # such as a token that has expired, or a server that restarts
                await wait_until_ready(url)
                await shop.sign_in(LOGIN, password)


async def run_until_eof(url: str) -> None:
    """Run the shop until standard input ends, as it does with the parent."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    password = (await reader.readline()).decode().strip()
    shop = asyncio.create_task(run_shop(url, password))
    await asyncio.wait([shop, asyncio.create_task(reader.read())], return_when=asyncio.FIRST_COMPLETED)
    if shop.done() and (error := shop.exception()):
        print(f"The shop stays closed: {error!r}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    # A terminal's Ctrl-C comes here too; the parent ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(run_until_eof(sys.argv[1]))
