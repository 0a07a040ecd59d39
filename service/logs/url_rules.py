"""Rules that map the URLs of another shop to kinds of pages, and name the fields of JSON lines: a TOML file.

    [[page]]
    kind = "product"
    path = "/shop/(?P<category>[^/]+)/(?P<product>[^/]+)"

    [[page]]
    kind = "cart"
    path = "/basket/add"
    goods_id = "item"      # the query parameter that holds it; by default goods_id
    amount = 1             # or a constant, where the URL has none
    cart_id = "basket"

The first rule whose `path` matches the whole path of the URL in its normal form (page_urls.py), without its
last slash, applies. The fields of its kind come from the named groups of the path, decoded, else from the
query. Patterns run in linear time. Paths of assets are not held against rules.

    [fields]
    time = "ts"
    address = "request.remote_ip"      # the path of a field in JSON lines

Fields that are not named are those that nginx, Caddy and Traefik write (json_format.py), and no query.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from page_urls import decode_segment
from service.logs.patterns import Pattern, PatternError
from service.logs.shop_format import CART_NUMBERS, PAY_NUMBERS, BadLine, Kind, Page, parse_number, parse_path
from service.logs.views import is_asset

NAMES: dict[str, tuple[str, ...]] = {"category": ("category",), "product": ("category", "product")}
NUMBERS: dict[str, tuple[str, ...]] = {"cart": CART_NUMBERS, "pay": PAY_NUMBERS, "success": ("cart_id",)}
CACHED_PATHS = 8192  # many URLs have one path, and differ in their queries
FIELDS = ("time", "address", "method", "url", "query", "status", "bytes", "referrer", "agent")


class RulesError(ValueError):
    """The rule file is wrong. The message is one line that says where."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`sources`: for each field of the kind, the query parameter that holds it, or a constant."""

    kind: Kind
    path: Pattern
    sources: dict[str, str | int]

    def make_page(self, groups: Mapping[str, str | None], query: dict[str, str]) -> Page:
        """Return the page of a path that matches, by the named groups of its pattern.

        A name that is empty, or that the database could not hold, makes it `other`.

        :raises BadLine: a number that the kind needs is missing or wrong
        """
        values = {
            field: self._value(field, query)
            if (group := groups.get(field)) is None
            else decode_segment(group)
            for field in self.sources
        }
        names = [values[field] for field in NAMES.get(self.kind, ())]
        if not all(names) or any("\0" in name for name in names if name):
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
        source = self.sources[field]
        return str(source) if isinstance(source, int) else query.get(source)


@dataclass(frozen=True, slots=True)
class Rules:
    """`fields` are paths in JSON lines by what stands there, such as `time`."""

    rules: tuple[Rule, ...]
    fields: Mapping[str, str] = field(default_factory=dict)

    def classify(self, path: str, query: str) -> Page:
        """Return the page of a path and its query string: kind "other" if no rule matches.

        :raises BadLine: a number that the kind of page needs is missing or wrong
        """
        bare_path = path.rstrip("/") or "/"
        for rule in self.rules:
            groups = rule.path.match(bare_path)
            if groups is not None:
                return rule.make_page(groups, parse_query(query))
        return Page("other")


def classify_path(rules: Rules | None, path: str, query: str) -> Page:
    """Return the page of a path and its query string, both in their normal form.

    It follows from the rules, or as for our own shop without any; scripts, images and the like are assets.

    :raises BadLine: a number that the kind of page needs is missing or wrong
    """
    if rules is not None and rules.rules:
        return Page("asset") if is_asset(path) else rules.classify(path, query)
    page = page_of_path(path)
    return parse_path(path, query) if page is None else page


@lru_cache(CACHED_PATHS)
def page_of_path(path: str) -> Page | None:
    """Return the page of a path, as for our own shop; None where its query tells it, or it is bad."""
    if is_asset(path):
        return Page("asset")
    try:
        return parse_path(path, "")
    except BadLine:
        return None


def parse_query(query: str) -> dict[str, str]:
    """Return the first value of each parameter."""
    parameters: dict[str, str] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        parameters.setdefault(*(decode_segment(text.replace("+", " ")) for text in (name, value)))
    return parameters


def read_rules(path: Path) -> Rules:
    """Read the rules of a file.

    :raises RulesError: the file can't be read, or is wrong
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RulesError(f"{path} can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RulesError(f"{path} is not TOML: {error}") from None
    pages, paths = document.get("page", []), document.get("fields", {})
    if not document or not isinstance(pages, list) or document.keys() - {"page", "fields"}:
        raise RulesError(f"{path} must consist of [[page]] tables, and perhaps one table [fields]")
    rules = (parse_rule(f"{path}: page {number}", table) for number, table in enumerate(pages, 1))
    return Rules(tuple(rules), parse_fields(f"{path}: fields", paths))


def parse_fields(where: str, table: Any) -> dict[str, str]:
    """Check the table [fields]; `where` names it in messages.

    :raises RulesError: the table is wrong
    """
    if not isinstance(table, dict) or (unknown := sorted(table.keys() - set(FIELDS))):
        extra = f"; there is no {', '.join(unknown)}" if isinstance(table, dict) else ""
        raise RulesError(f"{where} must be a table of {', '.join(FIELDS)}{extra}")
    wrong = [name for name, path in table.items() if not isinstance(path, str) or not path]
    if wrong:
        raise RulesError(f"{where}: {', '.join(wrong)} must be a path such as request.remote_ip")
    return table


def parse_rule(where: str, table: Any) -> Rule:
    """Check a [[page]] table; `where` names it in messages.

    :raises RulesError: the table is wrong
    """
    if not isinstance(table, dict) or table.get("kind") not in get_args(Kind):
        raise RulesError(f"{where}: kind must be one of {', '.join(get_args(Kind))}")
    kind, pattern = table["kind"], table.get("path")
    if not isinstance(pattern, str):
        raise RulesError(f"{where}: path must be a regular expression")
    try:
        path = Pattern(pattern)
    except PatternError as error:
        raise RulesError(f"{where}: path {pattern!r} is not a regular expression of RE2: {error}") from None
    fields = (*NAMES.get(kind, ()), *NUMBERS.get(kind, ()))
    # A group with a slip in its name would make all its pages `other`, without a word.
    unknown = sorted((table.keys() - {"kind", "path"} | path.groups) - set(fields))
    if unknown:
        raise RulesError(f"{where}: a {kind} page has no {', '.join(unknown)}")
    sources = {field: table.get(field, field) for field in fields}
    wrong = [field for field, source in sources.items() if type(source) not in (str, int)]
    if wrong:
        raise RulesError(f"{where}: {', '.join(wrong)} must be the name of a parameter, or a number")
    try:
        for name in NUMBERS.get(kind, ()):
            if type(sources[name]) is int:
                parse_number(str(sources[name]), name)
    except BadLine as error:
        raise RulesError(f"{where}: {error}") from None
    return Rule(kind, path, sources)
