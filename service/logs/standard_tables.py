"""The texts that lines of standard formats repeat, numbered: kept from chunk to chunk."""

import re

from service.logs.addresses import AddressTable
from service.logs.client_address import parse_client_address
from service.logs.known_texts import UNKNOWN, KnownTexts
from service.logs.line_columns import PageName
from service.logs.name_table import NameTable
from service.logs.next_lines import NEXT_LINE
from service.logs.nginx_variables import Role
from service.logs.standard_line import text_of_w3c

USER = re.compile(rb'[^"]*')
PROTOCOL = re.compile(rb' (?:[Hh][Tt][Tt][Pp]/[^ "\\]*|[A-Z]{2,}/[0-9][0-9.]*|1\.[01]|[23])')
METHOD = re.compile(rb'[^ "\\a-z]+')  # with small letters it is for the grammar, which knows what they mean
MAX_KNOWN_BYTES = 1024 * 1024


class StandardTables:
    def __init__(self, pages: NameTable[PageName], *, is_w3c: bool = False) -> None:
        decode = texts_of_w3c if is_w3c else without_escapes
        self.addresses = AddressTable(parse_w3c_address if is_w3c else parse_client_address)
        self.pages = pages
        self.methods = NameTable[str](lambda texts: [text_of(METHOD, text) for text in texts])
        self.referrers = NameTable[str](decode, are_long=True)
        self.agents = NameTable[str](decode, are_long=True)
        self.names: dict[Role, NameTable[str]] = {
            "address": self.addresses,
            "method": self.methods,
            "referrer": self.referrers,
            "agent": self.agents,
        }
        self.users = KnownTexts(lambda texts: [0 if is_user(text) else UNKNOWN for text in texts])
        self.protocols = KnownTexts(
            lambda texts: [0 if PROTOCOL.fullmatch(text) else UNKNOWN for text in texts]
        )

    def trim(self) -> bool:
        """Clear names if there are too many. Return whether numbers are not valid any more."""
        tables = (self.addresses, self.pages, self.methods, self.referrers, self.agents)
        trims = [table.trim() for table in tables]
        for texts in (self.users, self.protocols):
            if texts.size > MAX_KNOWN_BYTES:
                texts.clear()
        return any(trims)


def is_user(text: bytes) -> bool:
    return USER.fullmatch(text) is not None and NEXT_LINE.search(text.decode("ascii")) is None


def text_of(pattern: re.Pattern[bytes], raw: bytes) -> str | None:
    return raw.decode("ascii") if pattern.fullmatch(raw) else None


def without_escapes(texts: list[bytes]) -> list[str | None]:
    """Return the texts; None for one with a backslash: a quote before its end may be part of it."""
    return [None if b"\\" in text else text.decode("ascii") for text in texts]


def texts_of_w3c(texts: list[bytes]) -> list[str | None]:
    return [text_of_w3c(text.decode("ascii")) for text in texts]


def parse_w3c_address(text: str) -> str:
    """Parse the address of a client in W3C, which writes `+` for a space."""
    return parse_client_address(text.replace("+", " "))


def add_some(table: NameTable[str], name: str | None) -> int:
    """Return the number of a name; -1 for none."""
    return -1 if name is None else table.add(name, len(name))
