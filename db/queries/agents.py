"""Agents and referrers that visits name: their ids, of old ones and of those that are inserted.

Both stay for good, as pages do. They are inserted in the order of their digests, so that two who store visits
never wait for each other in a circle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy.ext.asyncio import AsyncSession

from db.array_literals import digest_array, text_array
from db.database import Raw
from db.queries.new_rows import insert_new
from db.sessions import raw_connection
from db.sql import raw_statement

AGENTS = """
    SELECT digest, id, is_bot FROM agent
    WHERE digest = ANY(CAST((SELECT CAST(CAST($1 AS text) AS bytea[])) AS bytea[]))
"""
REFERRERS = """
    SELECT digest, id FROM referrer
    WHERE digest = ANY(CAST((SELECT CAST(CAST($1 AS text) AS bytea[])) AS bytea[]))
"""
AGENT_IDS = """
    SELECT id FROM agent
    WHERE
        ($1::text IS NULL OR browser = $1)
        AND ($2::text IS NULL OR os = $2)
        AND ($3::text IS NULL OR device = $3)
"""
REFERRER_IDS = """
    SELECT id FROM referrer WHERE host = $1
    UNION ALL
    SELECT id FROM referrer WHERE digest = sha256(convert_to($2, 'UTF8'))
"""


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent and what it tells."""

    agent: str
    browser: str | None
    os: str | None
    device: str | None
    is_bot: bool


@dataclass(frozen=True, slots=True)
class ReferrerRow:
    url: str
    host: str | None


def text_digest(text: str) -> bytes:
    """Return the key of an agent or referrer: it may be too long for an index."""
    return sha256(text.encode()).digest()


async def select_agents(session: AsyncSession, agents: Sequence[str]) -> dict[str, tuple[int, bool]]:
    """Return the ids of agents that are stored, and whether each is a bot's, by agent."""
    raw = await raw_connection(session)
    by_digest = {text_digest(agent): agent for agent in agents}
    rows = await raw.fetch(AGENTS, digest_array(list(by_digest)))
    return {by_digest[digest]: (agent_id, is_bot) for digest, agent_id, is_bot in rows}


async def insert_agents(session: AsyncSession, agents: Sequence[AgentRow]) -> dict[str, tuple[int, bool]]:
    """Insert those of the agents that are new, and return what select_agents does of them.

    One that others insert meanwhile is left out. The transaction should do nothing else, as with names.
    """
    raw = await raw_connection(session)
    by_digest = {text_digest(row.agent): row for row in agents}
    digests = sorted(by_digest)
    rows = [by_digest[digest] for digest in digests]
    sql, _ = raw_statement("visits/insert_agents")
    inserted = await raw.fetch(
        sql,
        text_array([row.agent for row in rows]),
        digest_array(digests),
        text_array([row.browser for row in rows]),
        text_array([row.os for row in rows]),
        text_array([row.device for row in rows]),
        [row.is_bot for row in rows],
    )
    return {by_digest[digest].agent: (agent_id, is_bot) for digest, agent_id, is_bot in inserted}


async def select_referrers(session: AsyncSession, urls: Sequence[str]) -> dict[str, int]:
    """Return the ids of referrers that are stored, by URL."""
    raw = await raw_connection(session)
    by_digest = {text_digest(url): url for url in urls}
    rows = await raw.fetch(REFERRERS, digest_array(list(by_digest)))
    return {by_digest[digest]: referrer_id for digest, referrer_id in rows}


async def insert_referrers(session: AsyncSession, referrers: Sequence[ReferrerRow]) -> dict[str, int]:
    """Insert those of the referrers that are new, and return their ids, as insert_agents does."""
    raw = await raw_connection(session)
    by_digest = {text_digest(row.url): row for row in referrers}
    digests = sorted(by_digest)
    rows = [by_digest[digest] for digest in digests]
    sql, _ = raw_statement("visits/insert_referrers")
    inserted = await insert_new(
        raw,
        sql,
        text_array([row.url for row in rows]),
        digest_array(digests),
        text_array([row.host for row in rows]),
    )
    return {by_digest[digest].url: referrer_id for digest, referrer_id in inserted}


async def select_agent_ids(raw: Raw, browser: str | None, os: str | None, device: str | None) -> list[int]:
    """Return the ids of the agents that tell all of these that are given."""
    return [row["id"] for row in await raw.fetch(AGENT_IDS, browser, os, device)]


async def select_referrer_ids(raw: Raw, host: str | None, url: str | None) -> list[int]:
    """Return the ids of the referrers of a host, or of the one with a URL."""
    return [row["id"] for row in await raw.fetch(REFERRER_IDS, host, url)]
