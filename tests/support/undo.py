"""Undoing imports in tests."""

import re

from db.models import Import
from service.background import Background
from service.imports.undo import UndoLimits, delete_import, is_being_undone
from service.visits.pacing import LIMITS, BatchLimits
from tests.support.log_imports import NOW, Importer
from tests.support.processes import patience

KEY = re.compile(rb"\[[A-Z0-9]([A-Z0-9]{7})\]")


async def undo(shop: Importer, record: Import, *, parts: int = LIMITS.parts) -> Import:
    """Cancel or undo an import; wait until it is done, and not merely begun."""
    background = Background()
    limits = UndoLimits(BatchLimits(parts=parts, carts=parts), wait_seconds=patience())
    record = await delete_import(shop.db, background, record.id, clock=lambda: NOW, limits=limits)
    await background.close()  # breaks off what still runs
    assert not is_being_undone(record)
    return record


def of_file(number: int, log: bytes) -> bytes:
    """Give the log keys and line numbers that no other file has, so that no two lines are equal or tie."""
    log = KEY.sub(lambda key: b"[" + b"%d" % number + key[1] + b"]", log)
    return b"\n" * (100 * number) + log.removesuffix(b"\n") + b"\n"
