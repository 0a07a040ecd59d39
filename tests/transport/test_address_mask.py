"""A server that masks addresses: none is stored whole, whoever it is of."""

import logging
from dataclasses import replace

import pytest

from service.deps import Deps
from tests.support.command_line import PASSWORD
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp
from tests.support.stored_texts import everything

VISITOR, OTHER = "81.2.69.160", "2001:4860:4860::8888"


async def test_no_full_address_of_a_request_is_stored(
    running_app: RunningApp, deps: Deps, client: Client, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    running_app.use(replace(deps, logs=replace(deps.logs, address_mask=2)))
    caplog.set_level(logging.DEBUG)
    body = {"page_url": "/fresh_fish/eel/", "address": VISITOR, "id": "0198f0aa-0000-7000-8000-000000000001"}
    visit = await user.client.post("/visits", json=body)
    assert (visit.status, visit.json["country"]) == (201, "GB")
    assert (await user.client.post("/visits", json=body)).status == 200  # the same, with its masked address
    bulk = [{"page_url": "/cart?goods_id=1&amount=1&cart_id=1", "address": OTHER}, {"page_url": "/"}]
    assert (await user.client.post("/visits", json={"visits": bulk})).json["created"] == 2
    await user.client.get("/pages/about")
    assert (await client.post("/login", json={"login": user.login, "password": PASSWORD})).status == 200
    assert (await client.post("/login", json={"login": user.login, "password": "wrong"})).status == 401
    stored = await everything(deps.db)
    for address in (VISITOR, OTHER, "127.0.0.1"):
        assert address not in stored
        assert address not in caplog.text
    assert "81.2.0.0" in stored
    assert "2001:4860::" in stored
    sessions = (await user.client.get("/sessions")).json["items"]
    assert "127.0.0.0" in {session["address"] for session in sessions}
