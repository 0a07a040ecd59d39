"""What a process remembers of agents and referrers: numbers by id, which columns are looked up in.

Both stay as they are. Arrays are replaced and never changed for ids that they know, as in names.py.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from db.database import Raw
from db.part_files import Array, PartColumns
from db.queries import column_reads as queries
from service.columns.tables import UNKNOWN, grow, missing_ids

AgentTail = tuple[str | None, str | None, str | None, str]  # browser, os, device, traffic
TRAITS = ("browser", "os", "device")


def no_codes() -> Array:
    return np.zeros(1, np.int32)  # id 0 stands for none


@dataclass(slots=True)
class Texts:
    """Texts and their numbers. The first is None, which is what there is no text."""

    texts: list[str | None] = field(default_factory=lambda: [None])
    _codes: dict[str | None, int] = field(default_factory=lambda: {None: 0})

    def add(self, text: str | None) -> int:
        """Return the number of a text, which is new perhaps."""
        code = self._codes.setdefault(text, len(self.texts))
        if code == len(self.texts):
            self.texts.append(text)
        return code

    def find(self, text: str) -> int:
        """Return the number of a text; UNKNOWN if it has none."""
        return self._codes.get(text, UNKNOWN)


@dataclass(slots=True)
class AgentTable:
    """What agents tell, by their ids.

    :param codes: of browsers, systems and devices, by id of the agent
    :param is_bot: 1 for bots
    """

    codes: dict[str, Array] = field(default_factory=lambda: {name: no_codes() for name in TRAITS})
    texts: dict[str, Texts] = field(default_factory=lambda: {name: Texts() for name in TRAITS})
    is_bot: Array = field(default_factory=lambda: np.zeros(1, np.int8))
    tokens: set[uuid.UUID] = field(default_factory=set)

    def missing(self, parts: Iterable[PartColumns]) -> Array:
        return self.unknown([part.agents for part in parts])

    def unknown(self, columns: Iterable[Array]) -> Array:
        """Return the ids of agents that are not known."""
        return missing_ids(self.is_bot, columns)

    def columns(self, agent_ids: Array) -> list[list[str | None]]:
        """Return what some agents tell, and whose traffic theirs is, each as a column."""
        traits = [
            [self.texts[name].texts[code] for code in self.codes[name].take(agent_ids).tolist()]
            for name in TRAITS
        ]
        return [*traits, ["bot" if is_bot else "human" for is_bot in self.is_bot.take(agent_ids).tolist()]]

    def traits(self, agent_id: int) -> AgentTail:
        """Return what an agent tells, and whose traffic its is; of 0 what holds where there is none."""
        browser, os, device = (self.texts[name].texts[self.codes[name][agent_id]] for name in TRAITS)
        return browser, os, device, "bot" if self.is_bot[agent_id] else "human"

    async def load(self, raw: Raw, ids: Array) -> None:
        rows = await queries.select_agents(raw, ids)
        size = size_for(ids, rows)
        codes = {name: grow(self.codes[name], size) for name in TRAITS}
        is_bot = grow(self.is_bot, size)
        is_bot[ids] = 0
        for column in codes.values():
            column[ids] = 0
        for traits, agent_ids in rows:
            for name in TRAITS:
                codes[name][agent_ids] = self.texts[name].add(getattr(traits, name))
            is_bot[agent_ids] = traits.is_bot
        self.codes, self.is_bot = codes, is_bot


@dataclass(slots=True)
class ReferrerTable:
    """The hosts of referrers, as numbers by id of the referrer."""

    codes: Array = field(default_factory=no_codes)
    hosts: Texts = field(default_factory=Texts)
    tokens: set[uuid.UUID] = field(default_factory=set)

    def missing(self, parts: Iterable[PartColumns]) -> Array:
        return self.unknown([part.referrers for part in parts])

    def unknown(self, columns: Iterable[Array]) -> Array:
        """Return the ids of referrers that are not known."""
        return missing_ids(self.codes, columns)

    async def load(self, raw: Raw, ids: Array) -> None:
        rows = await queries.select_referrers(raw, ids)
        codes = grow(self.codes, size_for(ids, rows))
        codes[ids] = 0
        for host, referrer_ids in rows:
            codes[referrer_ids] = self.hosts.add(host)
        self.codes = codes


def size_for(ids: Array, rows: Iterable[tuple[Any, Array]]) -> int:
    """Return how long an array must be for all ids."""
    return max([int(ids.max()), *(int(each.max()) for _, each in rows)]) + 1
