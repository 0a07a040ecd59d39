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
from service.logs.nginx_directive import directive_text
from service.logs.nginx_variables import ROLES, Role, first_of_each_role, role_of

NAME = "custom"
BUILT_IN = ("shop", "common", "combined", "vhost_combined", "w3c", "json")
MAX_FORMAT = 4_096
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
BARE_VARIABLE = re.compile(r"([:,\[]\s*)(\$(?:\{\w+\}|\w+))(?=\s*[,}\]])", re.ASCII)
# What a text of several variables means: a whole URL, the address and its port; and a whole request.
SINGLE = re.compile(
    r"(?:\$scheme://\$\w+)?\$(\w+)(\$is_args\$(?:args|query_string))?(?::\$remote_port)?", re.ASCII
)
REQUEST = re.compile(r"\$request_method \$request_uri(?: \$server_protocol)?")
URL_ROLES: dict[Role, int] = {"request": 1, "url": 2, "path": 3}  # the first of them is read
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
    "query": "query",
    "status": "status",
    "body_bytes": "bytes",
    "referrer": "referrer",
    "agent": "agent",
}


class FormatError(ValueError):
    """The text is not a log_format by which requests can be read. The message is one line."""


def read_format(text: str) -> str | Layout | Mapping[str, str]:
    """Return the name of a built-in format, the layout of lines, or the paths of fields in JSON lines.

    :raises FormatError: the text is none of these
    """
    if len(text) > MAX_FORMAT:
        raise FormatError(f"a format has at most {MAX_FORMAT} characters")
    if text in BUILT_IN:
        return text
    text = directive_text(text).strip("\n")
    if "$" not in text:
        raise FormatError(
            f"{text[:40]!r} is neither {', '.join(BUILT_IN)} nor a log_format with variables as $remote_addr"
        )
    if text.lstrip().startswith("{"):
        return json_fields(text)
    if any(not character.isprintable() and character != "\t" for character in text):
        raise FormatError("a format is one line, without control characters")
    return text_layout(text)


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

    :raises FormatError: the format is not an object, or does not tell enough of a request
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
    for name, path in sorted(read, key=lambda pair: URL_ROLES.get(role_of(pair[0]), 0)):
        if role_of(name) in JSON_ROLES:
            fields.setdefault(JSON_ROLES[ROLES[name]], path)
    if not {"request", "url"}.isdisjoint(role_of(name) for name, _ in read):
        fields.pop("query", None)  # they have it
    return fields


def flatten(template: dict[str, Any], before: str) -> list[tuple[str, str]]:
    """Return the path and the variable of each value that is one variable, or means the same as one."""
    pairs = []
    for key, value in template.items():
        if isinstance(value, dict):
            pairs += flatten(value, f"{before}{key}.")
        elif isinstance(value, str) and (name := single_variable(value)) is not None:
            pairs.append((f"{before}{key}", name))
    return pairs


def single_variable(text: str) -> str | None:
    """Return the variable that a text is, or whose meaning it has; None for any other text."""
    text = VARIABLE.sub(lambda match: f"${match[1] or match[2]}", text)
    if REQUEST.fullmatch(text):
        return "request"
    match = SINGLE.fullmatch(text)
    if match is None or match[2] is None:
        return None if match is None else match[1]
    return "request_uri" if role_of(match[1]) == "path" else None
