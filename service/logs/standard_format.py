"""What a format of logs other than the shop's is: lines, and a grammar for each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from service.logs.chunk_text import ChunkText, Places
from service.logs.container_text import LinePrefix
from service.logs.standard_line import StandardLine
from service.logs.url_rules import Rules


class LineGrammar(Protocol):
    """The grammar of lines, which parses one at a time."""

    def parse(self, raw: bytes, rules: Rules | None, now: datetime) -> StandardLine: ...


class StandardFormat(Protocol):
    """A format of logs: which lines of a chunk have which grammar."""

    @property
    def name(self) -> str: ...

    @property
    def state(self) -> str: ...

    # What other programs may have put before a line.
    @property
    def prefix(self) -> LinePrefix | None: ...

    def fits(self, raw: bytes) -> bool: ...

    def sections(self, text: ChunkText) -> Sequence[tuple[LineGrammar, Places]]:
        """Return the grammars that the lines of a chunk have, each with the places of its lines."""
        ...
