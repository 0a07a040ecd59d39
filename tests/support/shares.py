"""Shares of the dashboard's views, and those who have their links."""

from typing import Any

from tests.support.http_client import Client, User

DATES = {"from": "2018-10-25", "to": "2018-10-31", "tz": "Europe/Berlin"}  # a clock changes in between


async def make_share(user: User, view: str = "reports", **fields: Any) -> dict[str, Any]:
    answer = await user.client.post("/shares", json={"view": view, **fields})
    assert answer.status == 201, answer.body
    assert answer.headers["Location"].endswith(f"/shares/{answer.json['id']}")
    share: dict[str, Any] = answer.json
    return share


def reader(client: Client, share: dict[str, Any]) -> Client:
    """Return somebody who has the link of a share."""
    path, _, key = share["link"].partition("#share=")
    assert path == "/dashboard"
    return client.signed_in(key)


async def is_let_in(somebody: Client, path: str, **parameters: str) -> bool:
    answer = await somebody.get(path, params=parameters)
    if answer.status == 200:
        return True
    assert (answer.status, answer.code) == (403, "out_of_scope"), answer.body
    return False
