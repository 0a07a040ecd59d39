"""Where a line was cut, and the next one begins on it: told in the name of a user, which may be any text."""

import re
from collections.abc import Sequence
from functools import reduce


def cut_text(letters: Sequence[str], end: str) -> str:
    """Return the pattern of a text of these letters that may be cut anywhere; `end` is behind a whole one."""
    return reduce(lambda behind, letter: f"(?:{letter}{behind})?", reversed(letters), end)


# Where the time of a line was cut, the next line, with its address, begins.
DAY_LETTERS = (r"\d", r"\d", "/", "[A-Z]", "[a-z]", "[a-z]", "/", *[r"\d"] * 4, "[: ]")
ISO_DAY_LETTERS = (*[r"\d"] * 4, "-", r"\d", r"\d", "-", r"\d", r"\d", " ")
CLOCK_LETTERS = (r"\d", r"\d", ":", r"\d", r"\d", ":", r"\d", r"\d", r"(?:\.\d{0,9})?")
ZONE_LETTERS = (" ", "[+-]", *[r"\d"] * 4, r"\]", " ")
CUT_ZONE = cut_text(ZONE_LETTERS, "")
CUT_END = rf"(?:\] ?| [A-Z]{{1,5}}(?:\] ?)?|{CUT_ZONE})"  # of a time without an offset, or with one
CUT_TIMES = [cut_text((*day, *CLOCK_LETTERS), CUT_END) for day in (DAY_LETTERS, ISO_DAY_LETTERS)]
IPV6 = r"(?=[^ ]*::|(?:[^ :]*:){7})[\da-fA-F:.]+"
NEXT_ADDRESS = rf"(?:[^ ]*:\d{{1,5}} )?\[?(?:\d{{1,3}}(?:\.\d{{1,3}}){{3}}|{IPV6})[^ ]*"
NEXT_LINE = re.compile(rf"\[(?:{'|'.join(CUT_TIMES)}){NEXT_ADDRESS} [^ ]+ .", re.ASCII)
