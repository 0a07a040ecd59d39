"""What goes on beside an import that is killed: live visits that are merged, undo and retention."""

import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from db.database import Database
from service.visits.retention import delete_before
from tests.support.log_imports import Importer

VISITS = 2500  # of a request, which has to end between two kills
CARTS = 0.05  # of the visits
PAGES = (
    "/",
    "/caviar/",
    "/caviar/beluga/",
    "/fresh_fish/",
    "/fresh_fish/salmon/",
    "https://shop.example/frozen_fish/",
)
# What carts must hold, added up from all visits that name them: no row may be left in either direction.
CART_ITEMS = """
    SELECT cart_id, goods_id, sum(amount) FROM visit WHERE kind = 'cart' GROUP BY 1, 2
    {} SELECT cart_id, goods_id, amount FROM cart_item
"""
PAYMENTS = """
    SELECT cart_id, min(occurred_at) FROM visit WHERE kind = 'success' GROUP BY 1
    {} SELECT cart_id, paid_at FROM payment
"""
FORGOTTEN = """
    SELECT id FROM merged_visit {} SELECT id FROM visit WHERE part_id IS NOT NULL AND source <> 'log'
"""

Call = Callable[..., dict[str, Any]]


class LiveTraffic:
    """Sends live visits, each until it is acknowledged; some of them again."""

    def __init__(self, call: Call, border: datetime, seed: int) -> None:
        self._call, self._border, self._rng = call, border, Random(seed)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.faults: list[str] = []
        self.young: set[str] = set()  # ids that must be there in the end
        self.sent = 0
        self._last: list[dict[str, Any]] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._send_all()
        except OSError as error:
            self.faults.append(f"no answer: {error}")

    def _send_all(self) -> None:
        while not self._over.is_set():
            visits = self._visits() + self._last[:200]
            response = self._call("POST", "/visits", {"visits": visits})
            refused = [each for each in response["results"] if each["status"] not in ("created", "duplicate")]
            self.faults += [str(each) for each in refused[:3]]
            self.young |= {each["id"] for each in visits if each["timestamp"] >= self._border.isoformat()}
            self.sent += len(visits)
            self._last = visits

    def _visits(self) -> list[dict[str, Any]]:
        rng, now = self._rng, datetime.now(UTC)
        return [
            {
                "id": str(uuid.UUID(int=rng.getrandbits(128))),
                "page_url": self._page(),
                "timestamp": (self._old() if rng.random() < 0.1 else now - self._age()).isoformat(),
                "address": f"8.8.{rng.randrange(256)}.{rng.randrange(256)}",
                "user_id": rng.randrange(1, 50),
            }
            for _ in range(VISITS)
        ]

    def _page(self) -> str:
        rng, cart = self._rng, self._rng.randrange(900, 3000)  # some carts are those of the log
        if rng.random() > CARTS:
            return rng.choice(PAGES)
        return rng.choice(
            (
                f"https://shop.example/cart?goods_id={rng.randrange(1, 40)}&amount=1&cart_id={cart}",
                f"https://shop.example/pay?user_id={rng.randrange(1, 50)}&cart_id={cart}",
                f"https://shop.example/success_pay_{cart}/",
            )
        )

    def _old(self) -> datetime:
        return self._border - timedelta(hours=self._rng.uniform(1, 48))

    def _age(self) -> timedelta:
        return timedelta(minutes=self._rng.uniform(6, 60))


async def differences(shop: Importer, traffic: LiveTraffic, lines: int) -> list[str]:
    """Compare the database with what was acknowledged, when nothing is too old any more."""
    faults = [f"refused: {fault}" for fault in traffic.faults]
    rows = await shop.rows("SELECT CAST(id AS text) FROM visit WHERE source <> 'log'")
    ids = [str(row[0]) for row in rows]
    if len(ids) != len(set(ids)):
        faults.append(f"{len(ids) - len(set(ids))} live visits stand twice")
    if set(ids) != traffic.young:
        lost, more = traffic.young - set(ids), set(ids) - traffic.young
        faults.append(f"{len(lost)} live visits are lost, {len(more)} too many of {len(traffic.young)}")
    [(stored,)] = await shop.rows("SELECT count(DISTINCT id) FROM visit WHERE source = 'log'")
    if stored != lines:
        faults.append(f"{stored} lines of {lines}")
    for name, query in (("items", CART_ITEMS), ("payments", PAYMENTS), ("ids", FORGOTTEN)):
        one, _, other = query.partition("{}")
        for pair in (query.format("EXCEPT"), f"{other} EXCEPT {one}"):
            [(count,)] = await shop.rows(f"SELECT count(*) FROM ({pair}) AS rest")
            if count:
                faults.append(f"{count} {name} differ")
    try:
        await shop.check_rollups()
    except AssertionError as error:
        faults.append(f"roll-up {str(error)[:200]}")
    return faults


async def drop_old(db: Database, border: datetime) -> None:
    """Finish what retention has begun."""
    await delete_before(db, border)
