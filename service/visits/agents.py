"""The ids of agents and referrers; those that are new are read and inserted.

What an agent tells is read once, when it is new to the database: whoever meets it later has that from there.
"""

import asyncio
import re
from collections.abc import Sequence

from clients.agents import PARSER
from db.database import Database
from db.queries import agents as queries
from db.queries.agents import AgentRow, ReferrerRow

MAX_CHARACTERS = 2048  # that are kept of an agent or referrer
HOST = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?(\[[^\]/?#]*\]|[^/?#:]*)", re.IGNORECASE)


def stored_text(text: str) -> str:
    """Return an agent or referrer as it is stored: bounded, and without what PostgreSQL does not store."""
    return text[:MAX_CHARACTERS].replace("\0", "\N{REPLACEMENT CHARACTER}")


def host_of(url: str) -> str | None:
    """Return the host of a referrer, in small letters, without its port; None for what is not a URL."""
    match = HOST.match(url)
    return (match[1].lower().rstrip(".") or None) if match else None


async def ensure_agents(db: Database, agents: Sequence[str]) -> dict[str, tuple[int, bool]]:
    """Return the ids of agents as they are stored, and whether each is a bot's; insert those that are new."""
    if not agents:
        return {}
    async with db.read() as session:
        known = await queries.select_agents(session, agents)
    missing = [agent for agent in agents if agent not in known]
    if missing:
        rows = await asyncio.to_thread(agent_rows, missing)
        async with db.transaction() as session:
            known |= await queries.insert_agents(session, rows)
    if foreign := [agent for agent in missing if agent not in known]:
        async with db.read() as session:
            known |= await queries.select_agents(session, foreign)
    return known


def agent_rows(agents: Sequence[str]) -> list[AgentRow]:
    return [
        AgentRow(agent, parsed.browser, parsed.os, parsed.device, parsed.is_bot)
        for agent, parsed in zip(agents, PARSER.parse_all(agents), strict=True)
    ]


async def ensure_referrers(db: Database, urls: Sequence[str]) -> dict[str, int]:
    """Return the ids of referrers as they are stored; insert those that are new."""
    if not urls:
        return {}
    async with db.read() as session:
        known = await queries.select_referrers(session, urls)
    missing = [url for url in urls if url not in known]
    if missing:
        rows = [ReferrerRow(url, host_of(url)) for url in missing]
        async with db.transaction() as session:
            known |= await queries.insert_referrers(session, rows)
    if foreign := [url for url in missing if url not in known]:
        async with db.read() as session:
            known |= await queries.select_referrers(session, foreign)
    return known
