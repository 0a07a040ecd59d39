"""Statistics over HTTP: parameters, rows, and that an unchanged response is not sent again."""

import json
import uuid
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.http_client import User

MAY = "2024-05-0{}T{:02}:00:00Z"


def event(number: int, user: int, kind: str, day: int, hour: int, **properties: Any) -> dict[str, Any]:
    return {
        "event_id": str(uuid.UUID(int=number)),
        "user_id": user,
        "event_type": kind,
        "occurred_at": MAY.format(day, hour),
        "properties": properties,
    }


EVENTS = [
    event(1, 1, "view", 1, 1, plan="pro"),
    event(2, 1, "cart", 1, 2),
    event(3, 1, "pay", 1, 3),
    event(4, 2, "view", 1, 23, plan=5),
    event(5, 2, "cart", 3, 0),
    event(6, 3, "view", 3, 1, plan="5"),
]


@pytest.fixture
async def events(user: User) -> None:
    answer = await user.client.post("/events", json={"events": EVENTS})
    assert answer.json["created"] == len(EVENTS)


async def items(user: User, path: str) -> Any:
    answer = await user.client.get(path)
    assert answer.status == 200, answer.body
    assert list(answer.json) == ["items", "next"]
    return answer.json["items"]


@pytest.mark.usefixtures("events")
async def test_totals_by_type_and_time(user: User) -> None:
    assert await items(user, "/events/stats?group_by=type") == [
        {"event_type": "view", "events": 3, "users": 3},
        {"event_type": "cart", "events": 2, "users": 2},
        {"event_type": "pay", "events": 1, "users": 1},
    ]
    assert await items(user, "/events/stats?group_by=day,type&tz=Asia/Tokyo&to=2024-05-02T00:00:00Z") == [
        {"day": "2024-04-30T15:00:00Z", "event_type": kind, "events": 1, "users": 1}
        for kind in ("cart", "pay", "view")
    ] + [{"day": "2024-05-01T15:00:00Z", "event_type": "view", "events": 1, "users": 1}]
    assert await items(user, "/events/stats?group_by=month&user_id=2") == [
        {"month": "2024-05-01T00:00:00Z", "events": 2, "users": 1}
    ]
    assert await items(user, "/events/stats?group_by=week,user&event_type=cart") == [
        {"week": "2024-04-29T00:00:00Z", "user_id": user_id, "events": 1, "users": 1} for user_id in (1, 2)
    ]
    assert await items(user, "/events/stats?group_by=hour&property.plan=5") == [
        {"hour": hour, "events": 1, "users": 1} for hour in (MAY.format(1, 23), MAY.format(3, 1))
    ]


@pytest.mark.usefixtures("events")
@pytest.mark.parametrize(
    "by", ["type", "user", "hour", "day", "week", "month", "day,user", "type,hour", "user,month"]
)
async def test_pages_of_totals_join(user: User, by: str) -> None:
    whole = await items(user, f"/events/stats?group_by={by}")
    rows, cursor = [], ""
    while True:
        answer = (await user.client.get(f"/events/stats?group_by={by}&limit=1{cursor}")).json
        rows += answer["items"]
        if answer["next"] is None:
            break
        cursor = f"&cursor={quote(answer['next'])}"
    assert rows == whole


@pytest.mark.usefixtures("events")
async def test_days_without_users_are_reported(user: User) -> None:
    days = [{"day": MAY.format(day, 0), "users": users} for day, users in ((1, 2), (2, 0), (3, 2))]
    assert await items(user, "/stats/dau") == days
    period = "from=2024-05-01T12:00:00Z&to=2024-05-03T00:00:00Z"
    assert await items(user, f"/stats/dau?{period}") == [
        {"day": MAY.format(1, 0), "users": 1},
        {"day": MAY.format(2, 0), "users": 0},
    ]
    users = {
        "event_type:cart": [1, 0, 1],
        "property.plan:5": [1, 0, 1],
        "property.plan:%225%22": [0, 0, 1],
        "property.plan:pro": [1, 0, 0],
        "property.a:b:c": [0, 0, 0],
    }
    for segment, expected in users.items():
        rows = await items(user, f"/stats/dau?segment={segment}")
        assert [row["users"] for row in rows] == expected, segment


@pytest.mark.usefixtures("events")
async def test_top_events_retention_and_funnel(user: User) -> None:
    assert await items(user, "/stats/top-events?limit=1&to=2024-05-03T00:00:00Z") == [
        {"event_type": "view", "events": 2, "users": 2}
    ]
    assert await items(user, "/stats/retention?start=2024-05-01&windows=3&unit=day") == [
        {"cohort": MAY.format(1, 0), "size": 2, "retained": [2, 0, 1]},
        {"cohort": MAY.format(2, 0), "size": 0, "retained": [0, 0]},
        {"cohort": MAY.format(3, 0), "size": 1, "retained": [1]},
    ]
    assert await items(user, "/stats/retention?start=2024-04-25&windows=1&unit=week&tz=Asia/Tokyo") == [
        {"cohort": "2024-04-24T15:00:00Z", "size": 1, "retained": [1]}
    ]
    begun = "/stats/retention?start=2024-05-01T10:30:00Z&windows=2&tz=Asia/Tokyo"
    assert [item["cohort"] for item in await items(user, begun)] == [
        "2024-05-01T10:30:00Z",
        "2024-05-02T10:30:00Z",
    ]
    assert await items(user, "/stats/funnel?steps=view,cart,pay") == [
        {"step": 1, "event_type": "view", "users": 3, "share": 1.0},
        {"step": 2, "event_type": "cart", "users": 1, "share": 0.3333},
        {"step": 3, "event_type": "pay", "users": 1, "share": 0.3333},
    ]
    wide = await items(user, "/stats/funnel?steps=view,cart&within=1000000")
    assert [step["users"] for step in wide] == [3, 2]


PATHS = (
    "/events/stats?group_by=type",
    "/stats/dau",
    "/stats/top-events",
    "/stats/retention?start=2024-05-01",
    "/stats/funnel?steps=view,cart",
)


@pytest.mark.parametrize("path", PATHS)
async def test_without_events_every_number_is_zero(user: User, path: str) -> None:
    rows = await items(user, path)
    assert json.dumps(rows).count('"users": 0') + json.dumps(rows).count('"size": 0') == len(rows)


@pytest.mark.usefixtures("events")
@pytest.mark.parametrize("path", PATHS)
async def test_statistics_that_have_not_changed_are_not_sent_again(user: User, path: str) -> None:
    etag = (await user.client.get(path)).headers["ETag"]
    headers = {"If-None-Match": etag}
    assert (await user.client.get(path, headers=headers)).status == 304
    more = [event(10 + number, 90 + number, kind, 1, number) for number, kind in enumerate(("view", "cart"))]
    await user.client.post("/events", json={"events": more})
    assert (await user.client.get(path, headers=headers)).status == 200


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/events/stats?group_by=color", "/group_by"),
        ("/events/stats?group_by=type,", "/group_by"),
        ("/events/stats?group_by=type,type", "/group_by"),
        ("/events/stats?group_by=type,user,day", "/group_by"),
        ("/events/stats?group_by=day&tz=Mars/Olympus", "/tz"),
        ("/events/stats?group_by=day&cursor=WzEsImEiLG51bGxd", "/cursor"),
        ("/events/stats?group_by=user&cursor=WzEsImEiLG51bGxd", "/cursor"),
        ("/events/stats?group_by=type,user&cursor=WzEsImEiLG51bGxd", "/cursor"),
        ("/stats/dau?segment=plan:pro", "/segment"),
        ("/stats/dau?segment=event_type", "/segment"),
        ("/stats/dau?segment=event_type:", "/segment"),
        ("/stats/dau?segment=property.:x", "/segment"),
        ("/stats/dau?from=1900-01-01T00:00:00Z&to=2024-01-01T00:00:00Z", "/to"),
        ("/stats/top-events?limit=1001", "/limit"),
        ("/stats/retention", "/start"),
        ("/stats/retention?start=2024-02-30", "/start"),
        ("/stats/retention?start=20240201", "/start"),
        ("/stats/retention?start=1969-12-31", "/start"),
        ("/stats/retention?start=1969-12-31T23:59:59Z", "/start"),
        ("/stats/retention?start=9998-01-01T00:00:00Z", "/start"),
        ("/stats/retention?start=2024-02-01&start_date=2024-02-01T00:00:00Z", "/start"),
        ("/stats/retention?start=2024-02-01&windows=91", "/windows"),
        ("/stats/retention?start=2024-02-01&windows=0", "/windows"),
        ("/stats/retention?start=2024-02-01&unit=month", "/unit"),
        ("/stats/funnel?steps=a", "/steps"),
        ("/stats/funnel?steps=a,,b", "/steps"),
        ("/stats/funnel?steps=a,b,c,d,e,f,g,h,i,j,k", "/steps"),
        ("/stats/funnel?steps=a,b&within=0", "/within"),
        ("/stats/funnel?steps=a,b&from=2024-01-02T00:00:00Z&to=2024-01-01T00:00:00Z", "/to"),
    ],
)
async def test_wrong_parameters_are_named(user: User, path: str, pointer: str) -> None:
    assert (await user.client.get(path)).pointers == [pointer]


async def test_the_edges_of_parameters_are_taken(user: User) -> None:
    for path in (
        "/stats/retention?start=9997-12-31&windows=90&unit=week&tz=Pacific/Kiritimati",
        "/stats/retention?start=9997-12-31T23:59:59.999999Z&windows=90&unit=week&tz=Pacific/Kiritimati",
        "/stats/dau?from=1970-01-01T00:00:00Z&to=2069-01-01T00:00:00Z&tz=Pacific/Apia",
        "/stats/dau?from=9997-12-30T00:00:00Z&to=9997-12-31T00:00:00Z&tz=Pacific/Kiritimati",
        "/stats/funnel?steps=a,b&within=316224000",
        "/events/stats?group_by=user&from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z",
    ):
        assert (await user.client.get(path)).status == 200, path
