"""What follows from the visits and events that are left."""

from tests.support.log_imports import Importer

STATE = (
    "SELECT host(address), country FROM address",
    "SELECT goods_id, learned_at, learned_position, learned_key FROM goods",
    "SELECT encode(page_sha256, 'hex'), visits FROM page_visits",
    "SELECT event_id, occurred_at FROM event",
    "SELECT before FROM unfinished_retention",
)


async def state(shop: Importer) -> list[list[tuple[object, ...]]]:
    return [*await shop.derived(), *[sorted(await shop.rows(query), key=repr) for query in STATE]]
