"""Rules that say which pages the URLs of another shop stand for: a TOML file.

    [[page]]
    kind = "product"
    path = "/shop/(?P<category>[^/]+)/(?P<product>[^/]+)"

    [[page]]
    kind = "cart"
    path = "/basket/add"
    goods_id = "item"      # the query parameter that holds it; its own name unless said
    amount = 1             # or a number, where the URL tells none
    cart_id = "basket"

The first rule whose path fits the whole path of the URL (without its last slash) decides. What a kind needs
comes from a named group of the path, else from the query.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote_plus

from service.logs.shop_format import CART_NUMBERS, PAY_NUMBERS, Kind, Page, parse_number, parse_path

NAMES: dict[str, tuple[str, ...]] = {"category": ("category",), "product": ("category", "product")}
NUMBERS: dict[str, tuple[str, ...]] = {"cart": CART_NUMBERS, "pay": PAY_NUMBERS, "success": ("cart_id",)}


class RulesError(ValueError):
    """The rule file is wrong. The message is one line that tells where."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`taken_from`: for each field of the kind, the query parameter that holds it, or its value."""

    kind: Kind
    path: re.Pattern[str]
    taken_from: dict[str, str | int]

    def page(self, found: re.Match[str], query: dict[str, str]) -> Page:
        """Raises BadLine where a number of the kind is missing or wrong."""
        values = {
            field: named if (named := found.groupdict().get(field)) is not None else self._value(field, query)
            for field in self.taken_from
        }
        if not all(values[field] for field in NAMES.get(self.kind, ())):
            return Page("other")
        numbers = {field: parse_number(values[field], field) for field in NUMBERS.get(self.kind, ())}
        return Page(
            self.kind,
            category=values.get("category"),
            product=values.get("product"),
            user_id=numbers.get("user_id"),
            cart_id=numbers.get("cart_id"),
            goods_id=numbers.get("goods_id"),
            amount=numbers.get("amount"),
        )

    def _value(self, field: str, query: dict[str, str]) -> str | None:
        source = self.taken_from[field]
        return str(source) if isinstance(source, int) else query.get(source)


@dataclass(frozen=True, slots=True)
class Rules:
    rules: tuple[Rule, ...]

    def page(self, path: str, query: str) -> Page:
        """The page of a path and its query string. Raises BadLine."""
        bare = path.rstrip("/") or "/"
        for rule in self.rules:
            found = rule.path.fullmatch(bare)
            if found is not None:
                return rule.page(found, parameters(query))
        return Page("other")


def page_of(rules: Rules | None, path: str, query: str) -> Page:
    """By the rules; without them by the paths of our own shop. Raises BadLine."""
    return parse_path(path, query) if rules is None else rules.page(path, query)


def parameters(query: str) -> dict[str, str]:
    """The first value of each parameter."""
    found: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        found.setdefault(unquote_plus(name), unquote_plus(value))
    return found


def read_rules(path: Path) -> Rules:
    """The rules of a file. Raises RulesError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RulesError(f"{path} can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RulesError(f"{path} is not TOML: {error}") from None
    pages = document.get("page")
    if not isinstance(pages, list) or document.keys() != {"page"}:
        raise RulesError(f"{path} must consist of [[page]] tables")
    return Rules(tuple(read_rule(f"{path}: page {number}", table) for number, table in enumerate(pages, 1)))


def read_rule(where: str, table: Any) -> Rule:
    if not isinstance(table, dict) or table.get("kind") not in get_args(Kind):
        raise RulesError(f"{where}: kind must be one of {', '.join(get_args(Kind))}")
    kind = table["kind"]
    try:
        path: re.Pattern[str] = re.compile(table["path"])
    except (re.error, TypeError, KeyError) as error:
        raise RulesError(f"{where}: path is not a regular expression: {error}") from None
    fields = (*NAMES.get(kind, ()), *NUMBERS.get(kind, ()))
    unknown = sorted(table.keys() - {"kind", "path", *fields})
    if unknown:
        raise RulesError(f"{where}: a {kind} page has no {', '.join(unknown)}")
    taken_from = {field: table.get(field, field) for field in fields}
    wrong = [field for field, source in taken_from.items() if type(source) not in (str, int)]
    if wrong:
        raise RulesError(f"{where}: {', '.join(wrong)} must be the name of a parameter, or a number")
    return Rule(kind, path, taken_from)
