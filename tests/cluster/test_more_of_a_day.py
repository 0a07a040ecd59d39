"""What else a shop and its admins do, answered on a Citus cluster as on one PostgreSQL."""

import uuid
from datetime import UTC, datetime, timedelta

from bench import server_log, shop_log
from db.queries.dropped_parts import delete_dropped_columns
from service.deps import Deps
from service.visits.retention import delete_before
from tests.support.citus import needs_cluster
from tests.support.cluster_days import Day, answer_alike
from tests.support.http_client import Client
from tests.support.http_server import RunningApp
from tests.support.merging import merge_visits
from tests.support.site_views import SALMON, SHOP, report

pytestmark = needs_cluster

BEGIN = datetime(2026, 5, 6, tzinfo=UTC)
LINES = 3000
CARTS = (
    "/fresh_fish/salmon/",
    "/cart?goods_id=3&amount=1&cart_id=77",
    "/pay?user_id=5&cart_id=77",
    "/success_pay_77/",
)
BUYERS = ("/report/4", "/report/5", "/report/6", "/report/7", "/report/7?source=log", "/report/7?traffic=all")
OF_A_SERVER = (
    "/visits/stats?group_by=browser&traffic=all",
    "/visits/stats?group_by=os,device",
    "/visits/stats?group_by=referrer&limit=50",
    "/visits/stats?group_by=status,kind&traffic=all",
    "/visits/stats?traffic=bot",
    "/visits?traffic=bot&limit=20",
    "/visits?status=404&limit=20",
    "/visits?referrer=www.google.com&limit=20",
    "/visits?browser=Firefox&limit=20",
    "/visits?kind=asset&limit=5",
    "/visits/export?format=csv&traffic=bot",
)


async def test_what_buyers_admins_sites_and_servers_logs_do_is_answered_as_on_one_postgresql(
    server: RunningApp, deps: Deps, client: Client, databases: tuple[str, str]
) -> None:
    await answer_alike(server, deps, client, databases, live)


async def live(day: Day) -> None:
    await buy(day)
    await read_a_servers_log(day)
    await use_events(day)
    await delete_what_is_old(day)
    await report_views(day)


async def buy(day: Day) -> None:
    """Carts stand in two logs and in live visits; one of the logs is taken back and comes again."""
    lines = list(shop_log.generate(LINES, 7, start=BEGIN, days=3))
    visits = [
        {"page_url": page, "timestamp": f"2026-05-07T10:0{minute}:00Z", "address": "8.8.8.8"}
        for minute, page in enumerate(CARTS)
    ]
    records = [await upload(day, f"{part}.log", "".join(lines[part::2])) for part in range(2)]
    await day.ask("POST", "/visits", json={"visits": visits})
    await ask_all(day, *BUYERS)
    await merge_visits(day.deps.db)
    await day.undo(records[1])
    await ask_all(day, *BUYERS, "/visits/stats?group_by=day")
    await upload(day, "1.log", "".join(lines[1::2]) + "no line\n")
    await ask_all(day, *BUYERS, "/visits/stats?group_by=day")
    await ask_all(day, "/imports", "/visits/stats?group_by=page,user")


async def read_a_servers_log(day: Day) -> None:
    text = "".join(server_log.generate(LINES, 3, "combined")).replace("/2024:", "/2026:")
    record = await upload(day, "access.log", text)
    await ask_all(day, *OF_A_SERVER)
    page = (await day.ask("GET", "/visits?traffic=all&limit=200")).json
    for _ in range(3):
        cursor = page["next"]
        page = (await day.ask("GET", f"/visits?traffic=all&limit=200&cursor={cursor}", name="next")).json
    await day.undo(record)
    await ask_all(day, *OF_A_SERVER)
    await upload(day, "access.log", text)
    await ask_all(day, *OF_A_SERVER)


async def use_events(day: Day) -> None:
    """An admin's own events stand among what it did."""
    events = [
        {
            "event_id": str(uuid.UUID(int=number, version=4)),
            "user_id": day.account_id,
            "event_type": "open",
            "occurred_at": f"2026-05-0{1 + number % 9}T08:00:00Z",
            "properties": {"number": number},
        }
        for number in range(40)
    ]
    await day.ask("POST", "/events", json=events)
    await ask_all(day, "/admin/users")
    for path in (f"/admin/users/{day.account_id}", f"/admin/users/{day.account_id}/activity?limit=7"):
        await day.ask("GET", path, name="an admin")
    await ask_all(day, "/events?property.number=7", "/events?limit=15&offset=20", "/events/export?format=csv")


async def delete_what_is_old(day: Day) -> None:
    await delete_before(day.deps.db, datetime(2026, 5, 7, tzinfo=UTC))
    await delete_dropped_columns(day.deps.db, kept_for=timedelta(0))
    await ask_all(day, *BUYERS, *OF_A_SERVER, "/events", "/events/stats?group_by=day", "/admin/users")


async def report_views(day: Day) -> None:
    """Views are of now, so no times are compared."""
    site = await day.ask("POST", "/sites", json={"name": "The shop", "origins": [SHOP]})
    for number in range(5):
        answer = await report(day.client, {"site": site.json["key"], "page_url": f"{SALMON}?n={number}"})
        assert answer.json["status"] == "stored"
    await day.ask("GET", "/pages/fresh_fish/salmon/")
    await count_views(day)
    await merge_visits(day.deps.db)
    await count_views(day)


async def count_views(day: Day) -> None:
    for group, name in (("page", "page_url"), ("browser", "browser")):
        answer = await day.client.get(f"/visits/stats?group_by={group}&from=2026-06-01")
        counts = [(item[name], item["visits"], item["visitors"]) for item in answer.json["items"]]
        day.answers.append((group, answer.status, repr(counts).encode()))


async def upload(day: Day, name: str, text: str) -> int:
    """Import a log; return the id of its import."""
    answer = await day.ask("POST", f"/imports?name={name}", data=text.encode())
    import_id: int = answer.json["id"]
    await day.ask("GET", f"/imports/{import_id}", name="import")
    await day.ask("GET", f"/imports/{import_id}/rejects", name="rejects")
    return import_id


async def ask_all(day: Day, *paths: str) -> None:
    for path in paths:
        await day.ask("GET", path)
