"""Regular expressions of operators, matched in linear time.

Python's `re` backtracks: one URL of a visitor can keep it busy for ever. RE2 reads a text once, whatever the
pattern, and has neither back-references nor look-around.
"""

from collections.abc import Mapping
from functools import lru_cache

import re2

CACHED_TEXTS = 1_024  # the same pages come again and again, and RE2's binding takes 20 us for a match
OPTIONS = re2.Options()
OPTIONS.log_errors = False  # it would write to standard error; the exception tells the same


class PatternError(ValueError):
    """The text is not a pattern that can be matched in linear time. The message is one line."""


class Pattern:
    """A compiled pattern."""

    def __init__(self, text: str) -> None:
        """Compile a pattern.

        :raises PatternError: the text is none, or one that needs back-references or look-around
        """
        try:
            self._regexp = re2.compile(text.encode(), OPTIONS)
        except re2.error as error:
            reason = error.args[0]
            reason = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
            raise PatternError(" ".join(reason.split())) from None
        self._indices = {name.decode(): index for name, index in self._regexp.groupindex.items()}
        self.groups = frozenset(self._indices)
        self.match = lru_cache(CACHED_TEXTS)(self._match)

    def _match(self, text: str) -> Mapping[str, str | None] | None:
        """Return the named groups of a text that matches as a whole, else None. Do not change them."""
        match = self._regexp.fullmatch(text.encode())
        if match is None:
            return None
        groups = match.groups()
        return {
            name: None if (group := groups[index - 1]) is None else group.decode()
            for name, index in self._indices.items()
        }
