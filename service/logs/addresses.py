"""Addresses of many lines, each distinct one parsed once by the grammar."""

from service.logs.chunk_text import ChunkText, Places
from service.logs.name_table import NameTable
from service.logs.shop_format import IPV4, BadLine, parse_address

MAX_ADDRESS_BYTES = 64  # longer texts go to the grammar
SPACE = ord(" ")


class AddressTable(NameTable[str]):
    def __init__(self) -> None:
        super().__init__(canonical_addresses)

    def read(self, text: ChunkText, starts: Places, ends: Places) -> tuple[Places, Places]:
        """Return the number of the address at each place, and where it ends: before a space.

        The number is UNKNOWN where no good address ends within the line.
        """
        lengths = text.find(SPACE, starts, MAX_ADDRESS_BYTES)
        lengths[(lengths < 0) | (starts + lengths >= ends)] = 0
        return self.look_up(text, starts, starts + lengths), starts + lengths


def canonical_addresses(texts: list[bytes]) -> list[str | None]:
    try:
        addresses = b" ".join(texts).decode().split(" ")
    except UnicodeDecodeError:
        return [canonical_address(text.decode(errors="replace")) for text in texts]
    is_ipv4 = IPV4.fullmatch  # and then it is canonical
    return [address if is_ipv4(address) else canonical_address(address) for address in addresses]


def canonical_address(text: str) -> str | None:
    try:
        return parse_address(text)
    except BadLine:
        return None
