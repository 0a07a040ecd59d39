"""Lets requests of other addresses go first, before work that many requests may begin at the same moment."""

from transport.request import App


async def give_way(app: App, address: str) -> None:
    """Wait in the fair queue of this worker; an app that no worker serves, as in tests, has none."""
    queue = getattr(app.ctx, "fair_queue", None)
    if queue is not None:
        await queue.wait(address)
