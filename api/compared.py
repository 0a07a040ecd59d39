"""The comparison of a period with the equally long one before."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, validates_schema

from api.fields import Choice
from api.times import TimeFilters

BOUNDS = {"from": "since", "to": "until"}


class ComparedPeriod(TimeFilters):
    """A query that may ask what there was in the period before, and then has both bounds of its own."""

    compare = Choice("previous", load_default=None)

    @validates_schema
    def check_bounds_of_comparison(self, data: Mapping[str, Any], **_: Any) -> None:
        missing = [name for name, field in BOUNDS.items() if data["compare"] and data[field] is None]
        if missing:
            raise ValidationError(
                {name: ["must be given, to compare with the period before"] for name in missing}
            )
