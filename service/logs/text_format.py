"""The formats whose lines all have one layout: common, combined, vhost_combined, and that of LOGS_FORMAT."""

from dataclasses import dataclass

import numpy as np

from service.logs.chunk_text import ChunkText, Places
from service.logs.combined_format import COMBINED, COMMON
from service.logs.container_text import ANY_PREFIX, CONTAINER, LinePrefix
from service.logs.line_layout import Layout
from service.logs.nginx_variables import Role
from service.logs.vhost_format import VHOST_COMBINED, is_vhost_line

BEGINNINGS: frozenset[Role] = frozenset(("address", "host"))  # of lines that begin with no time


@dataclass(frozen=True, slots=True)
class TextFormat:
    """Lines of one layout; `state` restores it."""

    layout: Layout
    state: str

    @property
    def name(self) -> str:
        return self.layout.name

    @property
    def prefix(self) -> LinePrefix | None:
        """What may stand before a line: nothing that it may hold or begin with itself."""
        layout = self.layout
        if any("|" in text for text in (layout.begin, *(item.text for item in layout.fields))):
            return None
        return ANY_PREFIX if not layout.begin and layout.fields[0].role in BEGINNINGS else CONTAINER

    def fits(self, raw: bytes) -> bool:
        """Return whether a line is written so."""
        return self.layout.fits(raw.decode(errors="replace").removesuffix("\r"))

    def sections(self, text: ChunkText) -> list[tuple[Layout, Places]]:
        """Return all lines that are not empty, and their layout."""
        return [(self.layout, np.flatnonzero(text.ends > text.starts))]


LAYOUTS = {layout.name: layout for layout in (COMMON, COMBINED, VHOST_COMBINED)}


def detect_layout(raw: bytes) -> Layout | None:
    """Return the built-in layout that a line has."""
    line = raw.decode(errors="replace").removesuffix("\r")
    if is_vhost_line(line):
        return VHOST_COMBINED
    match = COMBINED.pattern.fullmatch(line)
    if match is None:
        return None
    return COMMON if match["agent"] is None else COMBINED
