"""The reference of imports: COPY of the same visits into the table of rows that was, then its indexes."""

import time
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.postgres_cost import Cost, postgres_cost

TABLE, INDEXES, ROWS = (
    Path(__file__).with_suffix(".sql").read_text().replace("-- rows", "-- indexes").split("-- indexes")
)


@dataclass(frozen=True, slots=True)
class CopyCost:
    """Seconds of COPY and of the indexes after it, and what both cost."""

    seconds: tuple[float, float]
    cost: Cost


async def export(url: str, csv: Path) -> int:
    """Write the visits as rows of the table that was; return how many there are."""
    connection = await asyncpg.connect(url)
    await connection.copy_from_query(ROWS, output=csv, format="csv")
    rows: int = await connection.fetchval("SELECT count(*) FROM visit")
    await connection.close()
    return rows


async def copy(url: str, csv: Path, data: Path) -> CopyCost:
    """Copy the rows and build the indexes.

    :param data: the folder of the server
    """
    connection = await asyncpg.connect(url)
    await connection.execute(TABLE)
    before, begin = await postgres_cost(connection, data), time.perf_counter()
    client = time.process_time()
    await connection.copy_to_table("reference_visit", source=csv, format="csv")
    middle = time.perf_counter()
    await connection.execute(INDEXES)
    end, client = time.perf_counter(), time.process_time() - client
    cost = (await postgres_cost(connection, data)).minus(before).plus_cpu(client)
    await connection.execute("DROP TABLE reference_visit")
    await connection.close()
    return CopyCost((middle - begin, end - middle), cost)
