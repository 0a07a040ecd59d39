"""How the parts of the service are."""

from typing import Any

from marshmallow import Schema, fields


class HealthResponse(Schema):
    """Each part is `ok` or `down`; the import lag is the bytes of the log that are not read yet."""

    status = fields.Function(lambda health: word(health.good))
    database = fields.Function(lambda health: {"status": word(health.database)})
    cache = fields.Function(lambda health: {"status": word(health.cache)})
    migrations = fields.Function(
        lambda health: {"status": word(health.migrated), "revision": health.revision or None}
    )
    import_lag = fields.Function(lambda health: {"status": "ok", "bytes": health.lag})


class ReadyResponse(Schema):
    status = fields.String()


def word(good: Any) -> str:
    return "ok" if good else "down"
