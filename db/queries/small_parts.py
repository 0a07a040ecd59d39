"""Small parts of visits, made into larger ones: of one import or of live visits, and with one host."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.live_merges import live_keys
from db.queries.new_parts import Part, encode_part, insert_part, next_part_id
from db.queries.part_columns import NAMES, Columns, PartSpan, delete_parts, select_columns, select_part_spans
from db.queries.part_removal import concatenate
from db.threads import run_in_thread


async def merge_parts(session: AsyncSession, part_ids: Sequence[int]) -> None:
    """Put one part in the place of several, if all are there. The caller holds the lock of parts."""
    spans = await select_part_spans(session, ids=part_ids)
    columns = [await select_columns(session, span) for span in spans]
    parts = [part for part in columns if part is not None]
    if len(parts) < len(part_ids):
        return
    part = await run_in_thread(lambda: join_parts(spans[0], parts))
    fields = await run_in_thread(lambda: encode_part(part))
    await delete_parts(session, part_ids)
    part_id, token = await next_part_id(session)
    await insert_part(session, part_id, token, fields)


def join_parts(span: PartSpan, parts: Sequence[Columns]) -> Part:
    """Return the visits of parts as one, in order of (time, position)."""
    columns = concatenate(parts, NAMES)
    ids = columns["request_id"]
    by_id = (ids,) if span.is_live else ()
    order = np.lexsort((*by_id, columns["position"], columns["occurred"]))
    columns = {name: values[order] for name, values in columns.items()}
    if span.is_live:
        columns["key"] = live_keys(columns["occurred"], columns["request_id"])
    return Part(span.import_id, span.host, columns, span.source)
