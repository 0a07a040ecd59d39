"""The health of the service and of its parts."""

from typing import Any

from marshmallow import Schema, fields, post_dump

from api.fields import Choice, JsonSchema
from api.time_zones import zones_version

STATUS: JsonSchema = {"type": "string", "enum": ["ok", "down"]}


def part(**more: JsonSchema) -> JsonSchema:
    """Make the JSON Schema of one part."""
    return {"type": "object", "properties": {"status": STATUS, **more}, "required": ["status", *more]}


def replica_part(health: Any) -> dict[str, Any]:
    if health.replica is None:
        return {"status": status_word(health.database), "lag_seconds": None}
    lag = health.replica.lag
    return {"status": health.replica.state, "lag_seconds": None if lag is None else round(lag, 1)}


class GreetingResponse(Schema):
    status = fields.String(metadata={"example": "ok"})
    name = fields.String(metadata={"example": "trawl"})
    version = fields.String()


class HealthResponse(Schema):
    """Each part is `ok` or `down`; the import lag is the bytes of the log that are not read yet.
    The zones are those of the tzdata package, whose version is that of the IANA table.

    A replica that is `away`, or `behind` by more than 10 s, is not read from: the database serves what it
    would, and nothing else changes. Without one it is the database itself.

    Of a Citus cluster each worker is a part too, by host and port.

    The disk of DATA_DIR is `degraded` under 5 % free, which makes nothing else so.
    """

    status = fields.Function(lambda health: status_word(health.is_healthy), metadata=STATUS)
    database = fields.Function(lambda health: {"status": status_word(health.database)}, metadata=part())
    replica = fields.Function(
        replica_part,
        metadata={
            "type": "object",
            "properties": {
                "status": {"type": "string", "enum": ["ok", "away", "behind", "down"]},
                "lag_seconds": {"type": ["number", "null"], "example": 0.0},
            },
            "required": ["status", "lag_seconds"],
        },
    )
    workers = fields.Function(
        lambda health: {name: {"status": status_word(good)} for name, good in health.workers.items()},
        metadata={"type": "object", "additionalProperties": part(), "x-optional": True},
    )
    cache = fields.Function(lambda health: {"status": status_word(health.cache)}, metadata=part())
    migrations = fields.Function(
        lambda health: {"status": status_word(health.is_migrated), "revision": health.revision or None},
        metadata=part(revision={"type": ["string", "null"]}),
    )
    disk = fields.Function(
        lambda health: {
            "status": "degraded" if health.disk and health.disk.is_low else "ok",
            "free_bytes": health.disk and health.disk.free,
        },
        metadata={
            "type": "object",
            "properties": {
                "status": {"type": "string", "enum": ["ok", "degraded"]},
                "free_bytes": {"type": ["integer", "null"], "example": 53687091200},
            },
            "required": ["status", "free_bytes"],
        },
    )
    import_lag = fields.Function(
        lambda health: {"status": "ok", "bytes": health.lag},
        metadata=part(bytes={"type": ["integer", "null"], "example": 0}),
    )
    zones = fields.Function(
        lambda _: {"status": "ok", "version": zones_version()},
        metadata=part(version={"type": "string", "example": "2026a"}),
    )

    @post_dump
    def leave_out_workers(self, parts: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Leave the workers out where there is no cluster."""
        if not parts.get("workers", True):
            del parts["workers"]
        return parts


class HealthStatusResponse(HealthResponse):
    """The health as a whole."""

    class Meta:
        fields = ("status",)


class ReadyResponse(Schema):
    status = Choice("ok", "draining", "down")


def status_word(is_good: Any) -> str:
    return "ok" if is_good else "down"
