"""Infers from a JSON line the layout of those that are written like it, to read these in columns.

    {"time":"2018-08-01T00:01:35+02:00","ip":"203.0.113.9","took":0.012,"cached":false}
    └ text ┘└ field                  ┘└ text ┘└ field    ┘└ text┘└field┘└ text        ┘

Texts and numbers are fields, each of which may be another in each line; all else is the text between them. So
a line without escapes that has this layout is the same object but for its fields.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from service.logs.json_format import NAME, STATUS, Paths, decode_object, has_null
from service.logs.json_format import ROLES as JSON_ROLES
from service.logs.line_layout import Field, Layout
from service.logs.nginx_variables import Role
from service.logs.requests import URL
from service.logs.shop_format import BadLine
from service.logs.standard_line import ZONED_TIME

MAX_FIELDS = 60
TOKEN = re.compile(r'[ ]*(?:([{}\[\],:])|"([^"\\]*)"|(-?\d[\d.eE+-]*)|(?:true|false|null))[ ]*', re.ASCII)
# How times are written that are read in columns, and whether they may be numbers.
TIMES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("local_time", re.compile(ZONED_TIME, re.ASCII)),
    ("iso_time", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:[0-5]\d", re.ASCII)),
    ("unix_time", re.compile(r"\d{10}\.\d{3}", re.ASCII)),
)
PLAIN_ROLES: dict[str, Role] = {
    "address": "address",
    "method": "method",
    "status": "status",
    "bytes": "body_bytes",
    "referrer": "referrer",
    "agent": "agent",
}
NEEDED = ("time", "address", "url")
NUMERIC = ("time", "status", "bytes")  # that may be numbers
Path = tuple[str, ...]


class Leaf(NamedTuple):
    """A text or a number of an object: its path, or None where no path leads there, and its place."""

    path: Path | None
    text: str
    start: int
    end: int
    is_number: bool


class Unreadable(Exception):
    """A line has no layout."""


def infer_layout(line: str, paths: Sequence[Paths]) -> Layout | None:
    """Return the layout of a line in ASCII without escapes; None if lines like it are read in another way.

    :param paths: of each of JSON_ROLES
    """
    try:
        record = decode_object(line)
        leaves = list(find_leaves(line))
    except (BadLine, Unreadable):
        return None
    if not leaves or len(leaves) > MAX_FIELDS:
        return None
    by_path = {leaf.path: leaf for leaf in leaves if leaf.path is not None}
    chosen = [next((by_path[path] for path in each if path in by_path), None) for each in paths]
    if chosen[STATUS] is None and has_null(record, paths[STATUS]):
        return None
    roles = roles_of(dict(zip(JSON_ROLES, chosen, strict=True)))
    return None if roles is None else make_layout(line, leaves, roles)


def roles_of(chosen: dict[str, Leaf | None]) -> dict[int, Role] | None:
    """Return what is read at the places of leaves; None where one is not written as it has to be."""
    roles: dict[int, Role] = {}
    for name, leaf in chosen.items():
        if leaf is None:
            if name in NEEDED:
                return None
            continue
        role = time_role(leaf.text) if name == "time" else PLAIN_ROLES.get(name)
        if name == "url":
            role = "request" if " " in leaf.text and URL.match(leaf.text) is None else "url"
        if role is None or leaf.start in roles or (leaf.is_number and name not in NUMERIC):
            return None
        if role == "method" and not leaf.text.isupper():  # json_format makes it so
            return None
        if leaf.is_number and role in ("local_time", "iso_time"):
            return None
        roles[leaf.start] = role
    if "request" in roles.values():  # which has the method, too
        roles = {start: role for start, role in roles.items() if role != "method"}
    return roles


def time_role(text: str) -> Role | None:
    return next((role for role, pattern in TIMES if pattern.fullmatch(text)), None)


def make_layout(line: str, leaves: Sequence[Leaf], roles: dict[int, Role]) -> Layout:
    """Make the layout of lines that differ from this one only in their leaves.

    :param roles: what is read, by where its leaf begins
    """
    fields = []
    for leaf, following in zip(leaves, [*leaves[1:], None], strict=True):
        text = line[leaf.end : None if following is None else following.start]
        role = roles.get(leaf.start)
        fields.append(Field(role or "other", text, is_read=role is not None, is_number=leaf.is_number))
    return Layout(NAME, line[: leaves[0].start], tuple(fields))


def find_leaves(line: str) -> Iterator[Leaf]:
    """Return the texts and the numbers of the object that a line is, but for its keys.

    A list counts as its first element, as json_format reads it.

    :raises Unreadable: the line has an escape, another white space than blanks, or a key twice
    """
    stack: list[Path | None] = []  # of the objects and lists around
    lists: list[bool] = []
    keys = set[Path]()
    key: Path | None = ()
    at = 0
    while at < len(line):
        match = TOKEN.match(line, at)
        if match is None:
            raise Unreadable
        at = match.end()
        mark, text, number = match.groups()
        is_key = text is not None and line[at : at + 1] == ":" and bool(lists) and not lists[-1]
        if mark in ("{", "["):
            # What stands in a list of lists or in an object of a list has no path.
            inner = None if mark == "[" and lists and lists[-1] else key
            stack.append(None if mark == "{" and lists and lists[-1] else inner)
            lists.append(mark == "[")
            key = stack[-1]
        elif mark in ("}", "]"):
            stack.pop()
            lists.pop()
            key = None
        elif mark == ",":
            key = None
        elif is_key:
            key = None if stack[-1] is None else (*stack[-1], text)
            if key in keys:
                raise Unreadable  # the last of them counts
            if key is not None:
                keys.add(key)
        elif text is not None or number is not None:
            group = 2 if text is not None else 3
            yield Leaf(key, match[group], match.start(group), match.end(group), number is not None)
            key = None
