"""The groups that statistics show, counted in another period."""

from collections.abc import Sequence

import numpy as np

from service.columns.candidates import Candidate
from service.columns.statistics import Statistics


async def count_shown(statistics: Statistics, shown: Sequence[Candidate]) -> list[tuple[int, int]]:
    """Return the visits and distinct addresses that groups have in the period of other statistics.

    :param shown: groups, numbered alike, of statistics whose template pages may be others
    """
    details = await statistics.count_details([each.codes for each in shown if each.template is None])
    counts = iter(zip(details.visits.tolist(), details.visitors.tolist(), strict=True))
    templates = await count_templates(statistics, shown)
    return [
        next(counts)
        if candidate.template is None
        else templates.get((candidate.template.template, candidate.template.other), (0, 0))
        for candidate in shown
    ]


async def count_templates(
    statistics: Statistics, shown: Sequence[Candidate]
) -> dict[tuple[object, int], tuple[int, int]]:
    """Return the visits and distinct addresses of template pages, by page and the other group."""
    groups = [candidate.template for candidate in shown if candidate.template is not None]
    templates = statistics.templates
    if templates is None or not groups:
        return {}
    templates.look_for(groups, has_other=len(statistics.groups) > 1)
    counted = await statistics.collect(templates.repeated_rows)
    return {
        (group.template, group.other): (group.visits, group.visitors)
        for group in counted.at(np.arange(len(counted)), templates.hosts)
    }
