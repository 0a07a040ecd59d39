"""What it costs to undo the last import of a database, in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
UNDO = """
import asyncio, gc, json, sys, time
from sqlalchemy import text
from clock import now
from db.database import Database
from db.queries import imports as queries
from main import GARBAGE_THRESHOLDS
from service.imports.undo import undo_import

async def main(url):
    gc.freeze()  # as main.py does
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    db = Database.connect(url)
    cpu = time.process_time()
    async with db.transaction() as session:
        import_id = await session.scalar(text("SELECT max(id) FROM import"))
        await queries.request_undo(session, import_id, at=now())
    await undo_import(db, import_id)
    print(json.dumps(time.process_time() - cpu))
    await db.close()

asyncio.run(main(sys.argv[1]))
"""


def run_undo(url: str) -> float:
    """Undo the last import; return the CPU seconds of the process that does it."""
    process = subprocess.run(
        [sys.executable, "-c", UNDO, url],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=True,
    )
    seconds: float = json.loads(process.stdout.splitlines()[-1])
    return seconds
