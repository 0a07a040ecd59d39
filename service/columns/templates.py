"""Cart, pay and success pages whose URLs are made of a host and numbers: they have no row of their own."""

import re
import secrets
from typing import NamedTuple

import numpy as np

from db.kinds import KIND_CODES
from db.part_files import Array, PartColumns
from service.logs.line_columns import template_url

MAX_NUMBER = 2**63 - 1
CART, PAY, SUCCESS = (ord(KIND_CODES[kind]) for kind in ("cart", "pay", "success"))
KIND_OF = {CART: "cart", PAY: "pay", SUCCESS: "success"}
NUMBER = "([1-9][0-9]{0,18})"
PATTERNS = {
    CART: re.compile(rf"(.*?)/cart\?goods_id={NUMBER}&amount={NUMBER}&cart_id={NUMBER}", re.DOTALL),
    PAY: re.compile(rf"(.*?)/pay\?user_id={NUMBER}&cart_id={NUMBER}", re.DOTALL),
    SUCCESS: re.compile(rf"(.*?)/success_pay_{NUMBER}/", re.DOTALL),
}
# Odd numbers that nobody can know, so that nobody can make pages that are mixed alike.
FACTORS = tuple(np.uint64(secrets.randbits(64) | 1) for _ in range(7))
SHIFT = np.uint64(29)


class Template(NamedTuple):
    """What the URL of a template page is made of; numbers that it lacks are 0."""

    host: str
    kind: int
    cart_id: int
    goods_id: int
    amount: int
    user_id: int

    @property
    def url(self) -> str:
        numbers = {name: getattr(self, name) for name in ("cart_id", "goods_id", "amount", "user_id")}
        return template_url(self.host, KIND_OF[self.kind], **numbers)


def parse_template(url: str) -> Template | None:
    """Return what a URL is made of; None if it is not that of a template page."""
    for kind, pattern in PATTERNS.items():
        match = pattern.fullmatch(url)
        if match is not None:
            host, *texts = match.groups()
            numbers = [int(text) for text in texts]
            if max(numbers) > MAX_NUMBER:
                return None
            if kind == CART:
                return Template(host, kind, numbers[2], numbers[0], numbers[1], 0)
            return Template(host, kind, numbers[-1], 0, 0, numbers[0] if kind == PAY else 0)
    return None


def mix(*columns: Array) -> Array:
    """Mix columns of whole numbers into one, row by row."""
    result = np.zeros(len(columns[0]), np.uint64)
    for column, factor in zip(columns, FACTORS, strict=False):
        result ^= column.astype(np.uint64)
        result *= factor
        result ^= result >> SHIFT
    return result


def template_at(part: PartColumns, host: str, number: int) -> Template:
    """Return the template page of a row, by its place among the numbers."""
    row = part.number_rows[number]
    values = (int(getattr(part, name)[number]) for name in ("cart_id", "goods_id", "amount", "user_id"))
    return Template(host, int(part.kind[row]), *values)
