"""A few visits of a shop, and what the reports answer of them."""

from typing import Any

from tests.support.log_imports import Importer
from tests.support.log_lines import line

VISITS = (
    ("00:10:00", "8.8.8.8", "/semi_manufactures/dumplings/"),
    ("00:10:01", "8.8.8.8", "/cart?goods_id=1&amount=1&cart_id=1"),
    ("00:10:02", "8.8.8.8", "/fresh_fish/salmon/"),
    ("00:10:03", "8.8.8.8", "/cart?goods_id=2&amount=1&cart_id=1"),
    ("00:10:04", "8.8.8.8", "/pay?user_id=7&cart_id=1"),
    ("00:10:04", "8.8.8.8", "/success_pay_1/"),
    ("07:00:00", "133.1.1.1", "/frozen_fish/"),
    ("07:20:00", "133.1.1.1", "/cart?goods_id=1&amount=1&cart_id=2"),
)
HOURS = [0] * 7 + [1] + [0] * 16
EXPECTED: dict[int, tuple[Any, list[dict[str, Any]]]] = {
    1: (
        "United States",
        [
            {"country": "US", "name": "United States", "requests": 6, "share": 0.75},
            {"country": "JP", "name": "Japan", "requests": 2, "share": 0.25},
        ],
    ),
    2: ("United States", [{"country": "US", "name": "United States", "requests": 1, "share": 1.0}]),
    3: (
        "morning",
        [
            {"part_of_day": part, "from_hour": begin, "to_hour": begin + 6, "views": views, "hours": HOURS}
            for part, begin, views in (("morning", 6, 1), ("night", 0, 0), ("day", 12, 0), ("evening", 18, 0))
        ],
    ),
    4: (
        6,
        [
            {"hour": "2018-08-01T00:00:00Z", "requests": 6},
            {"hour": "2018-08-01T07:00:00Z", "requests": 2},
        ],
    ),
    5: (
        "fresh_fish",
        [{"category": "fresh_fish", "carts": 1, "support": 1.0, "confidence": 1.0, "lift": 1.0}],
    ),
    6: (1, [{"carts": 2, "paid": 1, "unpaid": 1, "unpaid_share": 0.5}]),
    7: (0, [{"purchases": 1, "users": 1}]),
}


async def store_visits(shop: Importer) -> None:
    text = "".join(
        line(f"2018-08-01 {time}", f"{at:08}", address, path) + "\n"
        for at, (time, address, path) in enumerate(VISITS)
    )
    await shop.store(text.encode())
