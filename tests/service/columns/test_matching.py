"""A part is looked at only where one of its agents tells all that is asked for."""

from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from db.part_files import PartColumns
from service.columns.agents import TRAITS, AgentTable
from service.columns.matching import PartFilter, may_match

AGENTS = {
    3: ("Firefox", "Linux", "desktop"),
    5: ("Firefox", "Android", "mobile"),
    6: ("curl", "Linux", "mobile"),
}


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        ({"os": "Linux"}, True),
        ({"os": "Linux", "device": "desktop"}, True),
        ({"browser": "Firefox", "os": "Linux", "device": "mobile"}, False),
        ({"browser": "curl"}, False),  # told by an agent of another part
        ({"os": "Linux", "device": "tablet"}, False),
    ],
)
def test_a_part_without_an_agent_of_all_traits_is_left_out(traits: dict[str, str], expected: bool) -> None:
    agents = AgentTable()
    agents.is_bot = np.zeros(7, np.int8)
    for place, name in enumerate(TRAITS):
        agents.codes[name] = np.full(7, -1, np.int32)
        agents.codes[name][0] = 0
        for agent_id, texts in AGENTS.items():
            agents.codes[name][agent_id] = agents.texts[name].add(texts[place])
    values: dict[str, Any] = {field.name: np.empty(0, np.int64) for field in fields(PartColumns)}
    part = PartColumns(**values | {"agents": np.array([3, 5], np.int32)})
    snapshot: Any = SimpleNamespace(agents=agents, referrers=None)
    assert may_match(snapshot, PartFilter(traits=traits), part) == expected
