"""A client that asks for little, and measures how long it takes, on a new connection each time."""

import asyncio
import json
import math
import time
import uuid
from dataclasses import dataclass, field
from statistics import median

from bench.wire import BadResponse, Hang, exchange

ADDRESS = "127.0.0.9"
RATE = 20  # requests a second
PATIENCE = 60.0  # seconds
SIGN_IN_EVERY = 20  # of the requests


@dataclass(slots=True)
class Timings:
    """What a client measured."""

    seconds: list[float] = field(default_factory=list)
    sign_ins: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    by_name: dict[str, list[float]] = field(default_factory=dict)

    def p99(self) -> float:
        """Return the 99th percentile in milliseconds, sign-ins apart: they hash a password."""
        ordered = sorted(self.seconds) or [math.nan]
        return ordered[math.ceil(0.99 * len(ordered)) - 1] * 1000

    def medians(self) -> dict[str, float]:
        """Return the median of each kind of request in milliseconds."""
        return {name: median(seconds) * 1000 for name, seconds in sorted(self.by_name.items())}

    def longest_sign_in(self) -> float:
        """Return the longest sign-in in milliseconds."""
        return max(self.sign_ins, default=math.nan) * 1000


@dataclass(slots=True)
class QuietClient:
    """Signed in, from an address of its own. `acknowledged` are the visits that were answered 201."""

    port: int
    account: dict[str, str]
    token: str = ""
    acknowledged: list[str] = field(default_factory=list)
    _turn: int = 0

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        data = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
        lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"] if data else []
        lines += [f"Authorization: Bearer {self.token}"] if self.token else []
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        response = await exchange(self.port, head + data, source=ADDRESS, method=method, seconds=PATIENCE)
        return (response.status, response.body) if response else (0, b"")

    async def sign_in(self) -> int:
        """Sign in, as a measurement: a token that it has stays in use. Return the status."""
        token, self.token = self.token, ""
        status, body = await self.call("POST", "/login", self.account)
        self.token = token or (json.loads(body)["access_token"] if status == 200 else "")
        return status

    async def measure(self, seconds: float, *, rate: float = RATE) -> Timings:
        """Send requests at a constant rate, whether the last ones were answered or not."""
        timings = Timings()
        begin = time.monotonic()
        requests = []
        for number in range(int(seconds * rate)):
            await asyncio.sleep(max(0.0, begin + number / rate - time.monotonic()))
            requests.append(asyncio.create_task(self._request(timings)))
        await asyncio.gather(*requests)
        return timings

    async def _request(self, timings: Timings) -> None:
        self._turn += 1
        begin = time.monotonic()
        is_sign_in = self._turn % SIGN_IN_EVERY == 0
        try:
            name, status = await (self._measured_sign_in() if is_sign_in else self._one(self._turn % 5))
        except (Hang, BadResponse, OSError) as error:
            name, status = type(error).__name__, 0
        seconds = time.monotonic() - begin
        (timings.sign_ins if is_sign_in else timings.seconds).append(seconds)
        timings.by_name.setdefault(name, []).append(seconds)
        if not 200 <= status < 300:
            timings.failures.append(f"{name}: {status}")

    async def _measured_sign_in(self) -> tuple[str, int]:
        other = QuietClient(self.port, self.account)
        return "POST /login", await other.sign_in()

    async def _one(self, choice: int) -> tuple[str, int]:
        match choice:
            case 0:
                visit = str(uuid.uuid4())
                status, _ = await self.call("POST", "/visits", {"id": visit, "page_url": "/quiet/"})
                if status == 201:
                    self.acknowledged.append(visit)
                return "POST /visits", status
            case 1:
                path = "/health"
            case 2:
                path = "/tasks"
            case 3:
                path = "/report/4"
            case _:
                path = "/profile"
        return f"GET {path}", (await self.call("GET", path))[0]

    async def lost(self, *, since: int = 0) -> int:
        """Count the acknowledged visits that the server no longer has, beginning with one by its place."""
        statuses = [(await self.call("GET", f"/visits/{visit}"))[0] for visit in self.acknowledged[since:]]
        return sum(status != 200 for status in statuses)
