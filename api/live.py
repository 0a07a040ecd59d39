"""The event that /live sends each second."""

from marshmallow import Schema, fields

from api.imports import ImportResponse
from api.times import DateTime


class LiveResponse(Schema):
    """`visits` and `events` are counted since the cache was started; `imports` run or have just changed."""

    time = DateTime(attribute="at")
    visits_per_second = fields.Float()
    events_per_second = fields.Float()
    visits = fields.Integer()
    events = fields.Integer()
    imports = fields.Nested(ImportResponse, many=True)
