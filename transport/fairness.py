"""Gives way to requests of other addresses, before work that many requests may have at the same moment."""

from transport.request import App


async def give_way(app: App, address: str) -> None:
    """Wait for a turn of the address. Only the server's workers have turns: see server/fair_turns.py."""
    turns = getattr(app.ctx, "fair_turns", None)
    if turns is not None:
        await turns.wait(address)
