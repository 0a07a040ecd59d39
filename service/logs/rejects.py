"""Lines that do not match, as their import shows them."""

from dataclasses import dataclass

from service.logs.chunks import without_marks

REJECT_TEXT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that does not match: its number from 1, its offset in bytes, and its first 200 characters."""

    line: int
    offset: int
    reason: str
    text: str


def make_reject(raw: bytes, line: int, offset: int, reason: str, *, log_format: str) -> RejectedLine:
    """Return the reject of a line, with a text that PostgreSQL can store.

    :param log_format: that the line was held against, which the reason names
    """
    text = raw[: 4 * REJECT_TEXT_CHARACTERS].decode(errors="replace").removesuffix("\r")
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:REJECT_TEXT_CHARACTERS]
    return RejectedLine(line, offset, f"{log_format}: {reason}", text)


def is_blank(raw: bytes) -> bool:
    """Return whether the line has only ASCII white space, NULs before it or not.

    A line of other bytes is a reject, not blank.
    """
    return not without_marks(raw).strip()
