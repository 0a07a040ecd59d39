"""Cart, pay and success pages whose URLs are made of a host and numbers.

They have no row of their own where the host is that of their part, and one where it is another.
"""

import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
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
MARKS = {CART: "/cart?goods_id=", PAY: "/pay?user_id=", SUCCESS: "/success_pay_"}  # told at once
# The same for many URLs at once, a line each; the numbers are those of which there are most.
SHORT_NUMBER = "([1-9][0-9]{0,17})"
LINES = {
    kind: re.compile(rf"^(?:(.*){pattern.pattern[5:].replace(NUMBER, SHORT_NUMBER)}|.*)$", re.MULTILINE)
    for kind, pattern in PATTERNS.items()
}
FIELDS = {  # in their order in URLs
    CART: ("goods_id", "amount", "cart_id"),
    PAY: ("user_id", "cart_id"),
    SUCCESS: ("cart_id",),
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
        match = pattern.fullmatch(url) if MARKS[kind] in url else None
        if match is not None:
            host, *texts = match.groups()
            is_small = max(int(text) for text in texts) <= MAX_NUMBER
            return make_template(kind, host, *texts) if is_small else None
    return None


def parse_templates(urls: Collection[str]) -> dict[str, Template]:
    """Return what those of the URLs are made of that are template pages'."""
    templates: dict[str, Template] = {}
    for kind in LINES:
        marked = [url for url in urls if MARKS[kind] in url and url not in templates]
        for url, match in zip(marked, match_lines(kind, marked), strict=True):
            template = make_template(kind, *match) if any(match) else parse_template(url)
            if template is not None:
                templates[url] = template
    return templates


def match_lines(kind: int, urls: Sequence[str]) -> Sequence[tuple[str, ...]]:
    """Return host and numbers of each URL as texts; none where it is another, or must be looked at alone."""
    texts: list[tuple[str, ...]] = LINES[kind].findall("\n".join(urls))
    return texts if len(texts) == len(urls) else [()] * len(urls)  # there are URLs of several lines


def match_alone(kind: int, url: str) -> tuple[str, ...]:
    """Return the same of one URL that was to be looked at alone."""
    template = parse_template(url)
    if template is None or template.kind != kind:
        return ()
    return template.host, *(str(getattr(template, name)) for name in FIELDS[kind])


def make_template(kind: int, host: str, *texts: str) -> Template:
    """Return the template page of the numbers that stand in a URL, in their order there."""
    numbers = [int(text) for text in texts]
    if kind == CART:
        return Template(host, kind, numbers[2], numbers[0], numbers[1], 0)
    return Template(host, kind, numbers[-1], 0, 0, numbers[0] if kind == PAY else 0)


@dataclass(frozen=True, slots=True)
class PageTemplates:
    """Template pages that have rows of their own.

    :param ids: of the pages, in order
    :param values: for each an index of `hosts`, and the other fields of Template
    :param numbers: by id of a page where it stands in `ids`; -1 for others, and for all beyond the last
    """

    ids: Array = field(default_factory=lambda: np.empty(0, np.int32))
    values: Array = field(default_factory=lambda: np.empty((0, len(Template._fields)), np.int64))
    hosts: tuple[str, ...] = ()
    numbers: Array = field(init=False)

    def __post_init__(self) -> None:
        numbers = np.full(int(self.ids.max(initial=0)) + 2, -1, np.int32)
        numbers[self.ids] = np.arange(len(self.ids))
        object.__setattr__(self, "numbers", numbers)

    @classmethod
    def parse(cls, pages: Sequence[tuple[int, str]]) -> "PageTemplates":
        """Take those of the pages, by id and URL, that are template pages."""
        hosts, ids, tables = dict[str, int](), list[int](), [np.empty((0, len(Template._fields)), np.int64)]
        for kind in LINES:
            marked = [(page_id, url) for page_id, url in pages if MARKS[kind] in url]
            matches = []
            for (page_id, url), match in zip(
                marked, match_lines(kind, [url for _, url in marked]), strict=True
            ):
                texts = match if any(match) else match_alone(kind, url)
                if texts:
                    ids.append(page_id)
                    matches.append(texts)
            tables.append(table_of(kind, matches, hosts))
        order = np.argsort(ids)
        return cls(np.array(ids, np.int32)[order], np.concatenate(tables)[order], tuple(hosts))

    def __or__(self, new: "PageTemplates") -> "PageTemplates":
        if not len(new.ids):
            return self
        hosts = {host: place for place, host in enumerate(self.hosts)}
        places = np.array([hosts.setdefault(host, len(hosts)) for host in new.hosts], np.int64)
        values = new.values.copy()
        values[:, 0] = places[values[:, 0]]
        ids, first = np.unique(np.concatenate([self.ids, new.ids]), return_index=True)
        return PageTemplates(ids, np.concatenate([self.values, values])[first], tuple(hosts))

    def rows(self, part: PartColumns, page: Array) -> tuple[Array, Array]:
        """Return which rows of a part are of these pages, and where these stand here.

        :param page: the ids of all pages of the rows
        """
        if not (np.take(self.numbers, part.pages, mode="clip") >= 0).any():
            return np.empty(0, np.int64), np.empty(0, np.int32)
        numbers = np.take(self.numbers, page, mode="clip")
        rows = np.flatnonzero(numbers >= 0)
        return rows, numbers[rows]


def table_of(kind: int, matches: Sequence[tuple[str, ...]], hosts: dict[str, int]) -> Array:
    """Return the `values` of template pages of a kind.

    :param matches: host and numbers of each
    :param hosts: their indices, of which there are new ones perhaps
    """
    table = np.zeros((len(matches), len(Template._fields)), np.int64)
    table[:, 1] = kind
    for name, texts in zip(("host", *FIELDS[kind]), zip(*matches, strict=True), strict=bool(matches)):
        if name == "host":
            table[:, 0] = [hosts.setdefault(host, len(hosts)) for host in texts]
        else:
            table[:, Template._fields.index(name)] = list(map(int, texts))
    return table


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
