"""The walks of visitors through the invented shop: its goods, its pages, and how often each is next.

A pool of walks is made before the log, and each is followed by many visitors. Only `Random.random` is used:
it gives the same numbers in every Python version, which the other methods do not promise.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

T = TypeVar("T")

SHOP = "https://shop.example/"
PRODUCTS = {  # goods_id counts through them from 1
    "fresh_fish": ("salmon", "trout", "mackerel", "plaice", "sea_bass", "turbot"),
    "frozen_fish": ("haddock", "hake", "salmon", "pollock", "sardine"),
    "semi_manufactures": ("fish_fingers", "fish_balls", "smoked_eel", "burgers", "sushi_set"),
    "canned_food": ("tuna_in_oil", "anchovies", "clams", "cod_liver"),
    "caviar": ("beluga", "trout_roe", "lumpfish_roe", "pike_roe"),
}
GOODS = [(category, name) for category, names in PRODUCTS.items() for name in names]
CATEGORIES = list(PRODUCTS)
# The categories that a walk of each taste draws from, by their places in CATEGORIES.
TASTES = {
    "any": "0123344",
    "fresh": "00000001234",
    "frozen": "01111111234",
    "quick": "0122222444",
}
WALKS = 400  # of each taste


@dataclass(frozen=True)
class Step:
    """One request of a walk: the seconds after its start, and a URL with %(cart)d and %(user)d in it."""

    after: int
    kind: str
    url: str
    category: str = ""


class Walk:
    """A path through the shop for many visitors, with what it adds to the answers."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps
        self.offsets = [step.after for step in steps]
        self.urls = "".join(f"{SHOP}{step.url}\n" for step in steps)
        self.kinds = Counter(step.kind for step in steps)
        self.is_paid = "success" in self.kinds
        self.bought = sorted({step.category for step in steps if step.kind == "cart"})
        pages = [step for step in steps if step.kind in {"category", "product"}]
        self.fresh_views = sum(step.category == "fresh_fish" for step in pages)
        self.frozen_views = [s.after for s in pages if s.kind == "category" and s.category == "frozen_fish"]


def draw(rng: Random, items: Sequence[T]) -> T:
    """Draw one of the items, each with the same chance."""
    return items[int(rng.random() * len(items))]


def make_walks(rng: Random) -> dict[str, list[Walk]]:
    """Make a pool of walks for each taste."""
    return {taste: [make_walk(rng, weights) for _ in range(WALKS)] for taste, weights in TASTES.items()}


def make_walk(rng: Random, taste: str) -> Walk:
    """Make a walk: main page, categories, products, perhaps a cart, and mostly its payment at the end."""
    steps = [Step(0, "main", "")]
    length, goods_id, has_cart = 2 + int(rng.random() * 26), 0, False
    while len(steps) < length:
        last = steps[-1]
        now = last.after + 2 + int(rng.random() ** 2 * 240)
        if last.kind == "product" and rng.random() < 0.25:
            has_cart = True
            repeats = 2 if rng.random() < 0.08 else 1
            steps += [cart_step(rng, now + 9 * again, goods_id) for again in range(repeats)]
        elif last.kind == "category" and rng.random() < 0.5:
            goods_id = 1 + draw(rng, [at for at, (name, _) in enumerate(GOODS) if name == last.category])
            steps.append(Step(now, "product", "{}/{}/".format(*GOODS[goods_id - 1]), last.category))
        elif last.kind != "main" and rng.random() < 0.2:
            steps.append(Step(now, "main", ""))
        else:
            category = CATEGORIES[int(draw(rng, taste))]
            steps.append(Step(now, "category", f"{category}/", category))
    if has_cart and rng.random() < 0.9:
        now = steps[-1].after
        steps.append(Step(now, "pay", "pay?user_id=%(user)d&cart_id=%(cart)d"))
        steps.append(Step(now, "success", "success_pay_%(cart)d/"))
    return Walk(steps)


def cart_step(rng: Random, after: int, goods_id: int) -> Step:
    amount = draw(rng, (1, 1, 1, 2, 2, 3, 4, 5))
    url = f"cart?goods_id={goods_id}&amount={amount}&cart_id=%(cart)d"
    return Step(after, "cart", url, GOODS[goods_id - 1][0])
