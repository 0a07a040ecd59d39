"""Addresses of many lines, each distinct one parsed once by the grammar."""

from collections.abc import Callable
from functools import partial

from service.logs.chunk_text import ChunkText, Places
from service.logs.name_table import NameTable
from service.logs.shop_format import IPV4, BadLine, parse_address

MAX_ADDRESS_BYTES = 64  # longer texts go to the grammar
SPACE = ord(" ")


class AddressTable(NameTable[str]):
    def __init__(self, parse: Callable[[str], str] = parse_address) -> None:
        """`parse` returns the canonical address of a text, or raises BadLine."""
        super().__init__(partial(canonical_addresses, parse))

    def read(self, text: ChunkText, starts: Places, ends: Places) -> tuple[Places, Places]:
        """Return the number of the address at each place, and where it ends: before a space.

        The number is UNKNOWN where no good address ends within the line.
        """
        lengths = text.find(SPACE, starts, MAX_ADDRESS_BYTES)
        lengths[(lengths < 0) | (starts + lengths >= ends)] = 0
        return self.get(text, starts, starts + lengths), starts + lengths


def canonical_addresses(parse: Callable[[str], str], texts: list[bytes]) -> list[str | None]:
    try:
        addresses = b"\n".join(texts).decode().split("\n")
    except UnicodeDecodeError:
        addresses = [text.decode(errors="replace") for text in texts]
    is_ipv4 = IPV4.fullmatch  # and then it is canonical
    return [address if is_ipv4(address) else canonical_address(parse, address) for address in addresses]


def canonical_address(parse: Callable[[str], str], text: str) -> str | None:
    try:
        return parse(text)
    except BadLine:
        return None
