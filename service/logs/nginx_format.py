"""Reads a log_format of nginx, which LOGS_FORMAT gives: its text, or the directive of nginx.conf.

    $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent rt=$request_time
    log_format main '$remote_addr - $remote_user [$time_local] ' '"$request" $status';
    {"time": "$time_iso8601", "client": "$remote_addr", "request": "$request", "status": $status}

The last one is for JSON lines: it names their fields. The names of the built-in formats are formats, too.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import msgspec

from service.logs.line_layout import Field, Layout
from service.logs.nginx_variables import RANKS, ROLES, Role, first_of_each_role, role_of

NAME = "custom"
BUILT_IN = ("shop", "common", "combined", "vhost_combined", "w3c", "json")
MAX_FORMAT = 4_096
DIRECTIVE = re.compile(r"\s*log_format\s+\S+\s+(?:escape=\w+\s+)?(.*?);?\s*", re.DOTALL)
QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
BARE_VARIABLE = re.compile(r"([:,\[]\s*)(\$\{?\w+\}?)(?=\s*[,}\]])", re.ASCII)
UNREAD: frozenset[Role] = frozenset(("host", "scheme", "list", "other"))
NEEDED: tuple[tuple[str, tuple[Role, ...], str], ...] = (
    ("a time", ("local_time", "iso_time", "unix_time"), "$time_local, $time_iso8601 or $msec"),
    ("an address", ("address",), "$remote_addr"),
    ("a URL", ("request", "url", "path"), "$request or $request_uri"),
)
# What LOGS_RULES calls what a variable says, in JSON lines.
JSON_ROLES: dict[Role, str] = {
    "local_time": "time",
    "iso_time": "time",
    "unix_time": "time",
    "address": "address",
    "method": "method",
    "request": "url",
    "url": "url",
    "path": "url",
    "status": "status",
    "body_bytes": "bytes",
    "referrer": "referrer",
    "agent": "agent",
}


class FormatError(ValueError):
    """The text is no log_format by which requests can be read. The message is one line."""


def read_format(text: str) -> str | Layout | Mapping[str, str]:
    """Return the name of a built-in format, the layout of lines, or the paths of fields in JSON lines.

    :raises FormatError: the text is none of these
    """
    if len(text) > MAX_FORMAT:
        raise FormatError(f"a format has at most {MAX_FORMAT} characters")
    if text in BUILT_IN:
        return text
    text = unwrap(text).strip("\n")
    if "$" not in text:
        raise FormatError(
            f"{text[:40]!r} is neither {', '.join(BUILT_IN)} nor a log_format with variables as $remote_addr"
        )
    if text.lstrip().startswith("{"):
        return json_fields(text)
    if any(not character.isprintable() and character != "\t" for character in text):
        raise FormatError("a format is one line, without control characters")
    return text_layout(text)


def unwrap(text: str) -> str:
    """Return the format that a directive of nginx.conf holds, or the text itself."""
    directive = DIRECTIVE.fullmatch(text)
    if directive is None:
        return text
    pieces = [single or double for single, double in QUOTED.findall(directive[1])]
    return re.sub(r"\\(.)", r"\1", "".join(pieces)) if pieces else directive[1]


def text_layout(text: str) -> Layout:
    """Return the layout of lines that are written by a format.

    :raises FormatError: requests can't be read by it
    """
    pieces = VARIABLE.split(text)  # text, ${name} or None, $name or None, text, …
    texts = pieces[::3]
    names = [braced or bare for braced, bare in zip(pieces[1::3], pieces[2::3], strict=True)]
    read = first_of_each_role(names)
    fields = [
        Field(role_of(name), behind, is_read=place in read and role_of(name) not in UNREAD)
        for place, (name, behind) in enumerate(zip(names, texts[1:], strict=True))
    ]
    check_needed([item.role for item in fields if item.is_read])
    check_separators(names, fields)
    if not any(item.role == "query" and item.is_read for item in fields):
        fields = [replace(item, role="url") if item.role == "path" else item for item in fields]
    return Layout(NAME, texts[0], tuple(fields))


def check_needed(roles: list[Role]) -> None:
    """Check that a format tells enough of a request.

    :raises FormatError: it does not
    """
    for what, some, names in NEEDED:
        if not any(role in roles for role in some):
            raise FormatError(f"the format has no variable for {what}, such as {names}")


def check_separators(names: list[str], fields: list[Field]) -> None:
    """Check that fields can be told apart: only parts of a URL may stand side by side.

    :raises FormatError: two others do
    """
    parts = {"scheme", "host", "url", "path", "is_args", "query", "other"}
    for place, (one, other) in enumerate(pairwise(fields)):
        if not one.text and not (one.role in parts and other.role in parts):
            pair = f"${names[place]} and ${names[place + 1]}"
            raise FormatError(f"nothing stands between {pair}: they can't be told apart")


def json_fields(text: str) -> dict[str, str]:
    """Return the path of each role in JSON lines that are written by a format.

    :raises FormatError: the format is no object, or does not tell enough of a request
    """
    try:
        template = msgspec.json.decode(BARE_VARIABLE.sub(r'\1"\2"', text), type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise FormatError("the format begins like an object in JSON, and is none") from None
    variables = dict(flatten(template, ""))
    paths, names = list(variables), list(variables.values())
    read = [(names[place], paths[place]) for place in sorted(first_of_each_role(names))]
    check_needed([role_of(name) for name, _ in read])
    fields: dict[str, str] = {}
    for name, path in sorted(read, key=lambda pair: RANKS[pair[0]]):
        if role_of(name) in JSON_ROLES:
            fields.setdefault(JSON_ROLES[ROLES[name]], path)
    return fields


def flatten(template: dict[str, Any], before: str) -> list[tuple[str, str]]:
    """Return the path and the variable of each value that is one variable alone."""
    pairs = []
    for key, value in template.items():
        if isinstance(value, dict):
            pairs += flatten(value, f"{before}{key}.")
        elif isinstance(value, str) and (match := VARIABLE.fullmatch(value)):
            pairs.append((f"{before}{key}", match[1] or match[2]))
    return pairs
