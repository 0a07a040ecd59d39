"""What a process needs to read columns: the files of parts, and what it remembers of names.

Nothing here imports numpy: it starts threads, and workers are forked from a process without any.
"""

import asyncio
import sys
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from db.column_files import ColumnFiles

if TYPE_CHECKING:
    from service.columns.names import AddressCountries, Names, PageTable

MIB = 2**20


@dataclass(slots=True)
class ColumnStore:
    """Made once a process; `names`, `pages` and `addresses` when the first reader comes."""

    files: ColumnFiles = field(default_factory=lambda: ColumnFiles(None, bound=0))
    names: "Names | None" = None
    pages: "PageTable | None" = None
    addresses: "AddressCountries | None" = None

    @classmethod
    def under(cls, data_dir: Path, *, megabytes: int) -> "ColumnStore":
        """Make a store whose files stand in a folder of their own."""
        return cls(ColumnFiles(data_dir / "columns", bound=megabytes * MIB))


async def load_numpy() -> None:
    """Import numpy in a thread: the first reader in a process would hold up the others for 0.1 s."""
    if "numpy" not in sys.modules:
        await asyncio.to_thread(import_module, "numpy")
