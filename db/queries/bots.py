"""Which agents of visits in columns are bots."""

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.columns import Values


async def select_bots(session: AsyncSession, agent_ids: Values) -> NDArray[np.bool_] | None:
    """Return which agents are bots, by their ids, 0 for none; None if no agent is."""
    distinct = np.flatnonzero(np.bincount(agent_ids))
    if not distinct.any():
        return None
    rows = await session.execute(
        text("SELECT id FROM agent WHERE id = ANY(:ids) AND is_bot"), {"ids": distinct.tolist()}
    )
    is_bot = np.zeros(int(distinct.max()) + 1, np.bool_)
    is_bot[rows.scalars().all()] = True
    return is_bot[agent_ids]
