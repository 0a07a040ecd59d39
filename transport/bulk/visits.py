"""Reads many visits from one body, each with its own verdict, and counts what became of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marshmallow import ValidationError

from api.visits import RecordVisitsRequest, load_visit
from service.visits.record import NewVisit
from service.visits.store import Status
from transport.errors import pointers

visits_request = RecordVisitsRequest()


@dataclass(frozen=True, slots=True)
class ItemVerdict:
    """What became of the visit at `index` of a body. `errors` are (JSON pointer, detail) pairs."""

    index: int
    status: str
    id: str | None = None
    errors: Sequence[tuple[str, str]] = ()


@dataclass(slots=True)
class VisitBatch:
    """The valid visits of a body, their places in it, and the verdicts on the others."""

    visits: list[NewVisit] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)
    invalid: list[ItemVerdict] = field(default_factory=list)


def read_visits(body: Any, *, now: datetime) -> VisitBatch:
    """Load a body of many visits.

    :raises ValidationError: the body is not an object with a list of 1 to 10,000 visits
    """
    batch = VisitBatch()
    for index, item in enumerate(visits_request.load(body)["visits"]):
        try:
            visit = NewVisit(**load_visit(item, now=now))
        except ValidationError as error:
            errors = list(pointers(error.messages, f"/visits/{index}"))
            batch.invalid.append(ItemVerdict(index, "invalid", errors=errors))
        else:
            batch.visits.append(visit)
            batch.indexes.append(index)
    return batch


def summarise(batch: VisitBatch, statuses: Sequence[Status]) -> dict[str, Any]:
    """Count what became of a batch, for RecordVisitsResponse.

    :param statuses: those of the valid visits, in their order
    """
    counts = Counter(statuses)
    not_created = [
        ItemVerdict(index, status, str(visit.id))
        for index, visit, status in zip(batch.indexes, batch.visits, statuses, strict=True)
        if status != "created"
    ]
    return {
        "received": len(statuses) + len(batch.invalid),
        "created": counts["created"],
        "duplicates": counts["duplicate"],
        "conflicts": counts["conflict"],
        "invalid": len(batch.invalid),
        "results": sorted([*not_created, *batch.invalid], key=lambda verdict: verdict.index),
    }
