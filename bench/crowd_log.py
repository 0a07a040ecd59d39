"""Writes access logs of another shape: a crowd whose visits are interleaved, and which buys a lot.

    python -m bench.crowd_log --lines 2000000 > logs.txt

Of the lines 9 % fill carts, 5 % pay and 5 % tell of a payment; a third of the visitors has an IPv6 address.
Each line is the next step of some visitor out of thousands, so that one visitor's lines lie far apart.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from bench.shop_log import request_keys

START = int(datetime(2024, 5, 6, tzinfo=UTC).timestamp())
DAYS = 14
CROWD = 20_000  # visitors who are there at a time
CATEGORIES = ("fresh_fish", "frozen_fish", "canned_food", "semi_manufactures", "caviar")
PRODUCTS = 40  # of each category
# Shares of lines. A cart that is paid has a pay and a success line, so both are as many.
CART, PAY, LEAVE = 0.09, 0.05, 0.04


@dataclass(slots=True)
class Guest:
    """A visitor: what it has looked at, and its cart with the steps that are left of paying."""

    address: str
    user_id: int
    goods: int = 0
    cart_id: int = 0
    is_paying: bool = False


def generate(lines: int, seed: int, *, names: int = 1) -> Iterator[str]:
    """Generate the lines of a log in order of time.

    :param names: how many times as many visitors and products as usual
    """
    rng, keys = Random(seed), request_keys(Random(seed))
    guests = [new_guest(rng, number) for number in range(CROWD * names)]
    count, carts, seconds = len(guests), 0, DAYS * 86_400
    products = PRODUCTS * names
    for number, key in zip(range(lines), keys, strict=False):
        place = int(rng.random() * len(guests))
        guest = guests[place]
        chance = rng.random()
        if guest.is_paying:
            path = f"success_pay_{guest.cart_id}/"
            guest.is_paying, guest.cart_id = False, 0
        elif chance < CART and guest.goods:
            if not guest.cart_id:
                carts += 1
                guest.cart_id = 10_000 + carts
            path = f"cart?goods_id={guest.goods}&amount={1 + int(rng.random() * 5)}&cart_id={guest.cart_id}"
        elif guest.cart_id and chance > 1 - 9 * PAY:
            path = f"pay?user_id={guest.user_id}&cart_id={guest.cart_id}"
            guest.is_paying = True
        else:
            goods = 1 + int(rng.random() * len(CATEGORIES) * products)
            category = CATEGORIES[goods % len(CATEGORIES)]
            if chance < 0.5:
                path = f"{category}/"
            else:
                path, guest.goods = f"{category}/product_{goods}/", goods
            if chance > 1 - LEAVE and not guest.cart_id:
                guests[place] = new_guest(rng, count)
                count += 1
        at = datetime.fromtimestamp(START + number * seconds // lines, UTC)
        yield f"shop_api      | {at:%Y-%m-%d %H:%M:%S} [{key}] INFO: {guest.address} https://shop.example/{path}\n"


def new_guest(rng: Random, number: int) -> Guest:
    low = number * 7_368_787 % 2**24
    address = f"{1 + int(rng.random() * 220)}.{low >> 16}.{low >> 8 & 255}.{low & 255}"
    if number % 3 == 0:
        address = f"2600:1f18:{low >> 12:x}:{low & 4095:x}::{1 + int(rng.random() * 60_000):x}"
    return Guest(address, 80_000_000_000 + number)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.crowd_log")
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--names", type=int, default=1, help="times as many visitors and products")
    arguments = parser.parse_args()
    sys.stdout.writelines(generate(arguments.lines, arguments.seed, names=arguments.names))


if __name__ == "__main__":
    main()
