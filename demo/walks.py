"""Invents a shop's last weeks: visitors look around, fill carts and sometimes pay."""

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

FIRST_GOODS = 901  # beyond the numbers of the goods in logs.txt, which has a catalogue of its own
DAYS = 28
WALKS_A_DAY = 40
HOST = "https://shop.example"
GOODS = (
    ("fresh_fish", "salmon"),
    ("semi_manufactures", "fish_cakes"),
    ("fresh_fish", "cod"),
    ("fresh_fish", "trout"),
    ("frozen_fish", "shrimps"),
    ("frozen_fish", "salmon"),
    ("semi_manufactures", "cutlets"),
    ("canned_food", "sardines"),
    ("canned_food", "squid"),
    ("caviar", "black_caviar"),
)
NETWORKS = ("8.8.4", "81.2.69", "213.180.193", "93.184.216", "202.232.2", "200.160.2", "41.203.0")
REFERRERS = ("https://www.google.com/", "https://duckduckgo.com/", "https://news.example/fish", None, None)
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"
WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5"
AGENTS = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) {WEBKIT} Safari/605.1.15",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {WEBKIT} Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
)
NEXT_STEP, CART, PAY, PAID = 0.7, 0.5, 0.7, 0.8  # probabilities


def make_walks(rng: random.Random, now: datetime) -> list[dict[str, Any]]:
    """Make the visits of the last weeks; in the evening there are more, and each week there are more."""
    visits: list[dict[str, Any]] = []
    for day in range(DAYS):
        for _ in range(WALKS_A_DAY + day // 7 * 8):
            hour = rng.triangular(0, 24, 19)
            begin = now - timedelta(days=DAYS - day) + timedelta(hours=hour)
            visits.extend(visit for visit in make_walk(rng, begin) if visit["timestamp"] < now.isoformat())
    return visits


def make_walk(rng: random.Random, begin: datetime) -> Iterator[dict[str, Any]]:
    """Make the visits of one visitor, from a referrer on."""
    visitor = {"address": f"{rng.choice(NETWORKS)}.{rng.randrange(1, 60)}", "agent": rng.choice(AGENTS)}
    referrer, time = rng.choice(REFERRERS), begin
    for path in walk_paths(rng):
        yield {
            "id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            "page_url": HOST + path,
            "timestamp": time.isoformat(),
            "referrer": referrer,
            **visitor,
        }
        referrer, time = HOST + path, time + timedelta(seconds=rng.randrange(5, 120))


def walk_paths(rng: random.Random) -> Iterator[str]:
    yield "/"
    cart = rng.randrange(1, 1_000_000_000)
    filled = False
    while rng.random() < NEXT_STEP:
        goods = min(rng.randrange(len(GOODS)), rng.randrange(len(GOODS)))  # some are liked better
        category, name = GOODS[goods]
        yield f"/{category}/"
        if rng.random() < NEXT_STEP:
            yield f"/{category}/{name}/"
            if rng.random() < CART:
                filled = True
                yield f"/cart?goods_id={FIRST_GOODS + goods}&amount={rng.randrange(1, 4)}&cart_id={cart}"
    if filled and rng.random() < PAY:
        yield f"/pay?user_id={rng.randrange(1, 300)}&cart_id={cart}"
        if rng.random() < PAID:
            yield f"/success_pay_{cart}/"
