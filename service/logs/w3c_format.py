"""The grammar of W3C extended logs, which IIS writes: a line with # names the fields of those behind it.

    #Fields: date time cs-method cs-uri-stem cs-uri-query c-ip cs(User-Agent) sc-status
    2018-08-01 00:01:35 GET /fish/ page=2 203.0.113.9 Mozilla/5.0+(X11) 200
    └ UTC             ┘     └ path ┘ └ query

Between fields are spaces, or tabs (CloudFront). A dash stands for nothing, + for a space. Lines that begin
with # are none, and the fields may be named anew anywhere.
"""

from dataclasses import replace
from datetime import datetime

import numpy as np

from service.logs.chunk_text import ChunkText, Places
from service.logs.container_text import CONTAINER
from service.logs.line_layout import Field, Layout
from service.logs.nginx_variables import Role
from service.logs.shop_format import BadLine
from service.logs.standard_line import StandardLine
from service.logs.url_rules import Rules

NAME = "w3c"
FIELDS_BEGIN = b"#fields:"
HASH, TAB = b"#\t"
MAX_FIELDS = 200
ROLES: dict[str, Role] = {
    "date": "date",
    "time": "time",
    "c-ip": "address",
    "cs-method": "method",
    "cs-uri": "url",
    "cs-uri-stem": "path",
    "cs-uri-query": "query",
    "sc-status": "status",
    "sc-bytes": "body_bytes",
    "cs(referer)": "referrer",
    "cs(user-agent)": "agent",
}
FORWARDED = ("x-forwarded-for", "cs(x-forwarded-for)", "x-real-ip", "cs(x-real-ip)")  # where there is no c-ip
NEEDED: tuple[tuple[Role, ...], ...] = (("date",), ("time",), ("address",), ("path", "url"))


def fields_of(raw: bytes) -> str | None:
    """Return the names of fields that a line gives; None if it gives none."""
    if raw[: len(FIELDS_BEGIN)].lower() != FIELDS_BEGIN:
        return None
    return " ".join(raw[len(FIELDS_BEGIN) :].decode(errors="replace").split())


def make_layout(names: str, *, separator: str) -> Layout | None:
    """Return the layout of lines with these fields; None if they do not tell enough of a request."""
    fields = names.lower().split()
    roles = [ROLES.get(name, "other") for name in fields]
    if "address" not in roles:
        roles = ["address" if name in FORWARDED else role for name, role in zip(fields, roles, strict=True)]
    if len(fields) > MAX_FIELDS or not all(any(role in roles for role in some) for some in NEEDED):
        return None
    if "url" in roles:
        roles = ["other" if role in {"path", "query"} else role for role in roles]
    items = [
        Field(role, separator, is_read=role != "other" and role not in roles[:place])
        for place, role in enumerate(roles)
    ]
    items[-1] = replace(items[-1], text="")
    return Layout(NAME, "", tuple(items), is_w3c=True)


class Unnamed:
    """The grammar of lines before which nothing names the fields that are needed."""

    def parse(self, raw: bytes, rules: Rules | None, now: datetime) -> StandardLine:
        """Refuse a line.

        :raises BadLine: always
        """
        del raw, rules, now
        raise BadLine("no #Fields before it names date, time, c-ip and cs-uri-stem")


UNNAMED = Unnamed()
Section = tuple[Layout | Unnamed, Places]


class W3cFormat:
    """The format of a log, by the fields that were named last."""

    name = NAME
    prefix = CONTAINER

    def __init__(self, names: str = "") -> None:
        self.names = names
        self._layouts: dict[str, Layout | None] = {}
        self._set_fields(names)

    @property
    def state(self) -> str:
        """What a later reading begins with."""
        return f"{NAME} {self.names}".strip()

    def _set_fields(self, names: str) -> None:
        self.names = names
        self._layouts = {separator: make_layout(names, separator=separator) for separator in (" ", "\t")}

    def layout(self, raw: bytes) -> Layout | None:
        """Return the layout of a line; None before the fields are named."""
        return self._layouts["\t" if b"\t" in raw else " "]

    def fits(self, raw: bytes) -> bool:
        """Return whether a line is one, after those before it have been shown to this function, too."""
        names = fields_of(raw)
        if names is not None:
            self._set_fields(names)
        layout = None if raw.startswith(b"#") else self.layout(raw)
        return layout is not None and layout.fits(raw.decode(errors="replace").removesuffix("\r"))

    def sections(self, text: ChunkText) -> list[Section]:
        """Return the lines with the same fields and the same separator, and their layout."""
        rows = np.flatnonzero(text.ends > text.starts)
        is_comment = text.bytes_at(text.starts[rows]) == HASH
        comments = np.flatnonzero(is_comment)
        sections, begin = list[Section](), 0
        for comment, raw in zip(comments.tolist(), text.lines(rows[comments]), strict=True):
            names = fields_of(raw)
            if names is not None:
                sections += self._section(text, rows[begin:comment][~is_comment[begin:comment]])
                self._set_fields(names)
                begin = comment
        return sections + self._section(text, rows[begin:][~is_comment[begin:]])

    def _section(self, text: ChunkText, rows: Places) -> list[Section]:
        has_tab = text.lines_with(TAB)[rows]
        parts = ((" ", rows[~has_tab]), ("\t", rows[has_tab]))
        return [(self._layouts[separator] or UNNAMED, part) for separator, part in parts if len(part)]
