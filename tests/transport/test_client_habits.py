"""What programs written for such APIs send: plain dates, bare lists, digits as text, weak tags."""

import json
import uuid
from typing import Any

import pytest

from tests.support.http_client import User
from tests.support.raw_http import raw_request

NOW = "2025-08-01T12:00:00Z"


def event(**fields: Any) -> dict[str, Any]:
    return {"event_id": str(uuid.uuid4()), "user_id": 7, "event_type": "view", "occurred_at": NOW} | fields


async def post_json(user: User, path: str, body: bytes | str) -> Any:
    return await user.client.post(path, data=body, headers={"Content-Type": "application/json"})


async def test_a_plain_date_is_the_whole_day_of_its_zone(user: User) -> None:
    times = ("2025-07-31T21:59:59Z", "2025-07-31T22:00:00Z", "2025-08-02T21:59:59Z", "2025-08-02T22:00:00Z")
    await user.client.post("/events", json={"events": [event(occurred_at=time) for time in times]})
    for time in times:
        await user.client.post("/visits", json={"page_url": "/caviar/", "timestamp": time})
    period = "from=2025-08-01&to=2025-08-02&tz=Europe/Berlin"
    expected = [times[2], times[1]]
    for path, field in (("/events", "occurred_at"), ("/visits", "timestamp")):
        items = (await user.client.get(f"{path}?{period}")).json["items"]
        assert [item[field] for item in items] == expected
    active = (await user.client.get(f"/stats/dau?{period}")).json["items"]
    assert [item["users"] for item in active] == [1, 1]
    assert (await user.client.get(f"/stats/top-events?{period}")).json["items"][0]["events"] == 2
    counts = (await user.client.get(f"/visits/stats?{period}")).json["items"]
    assert [item["visits"] for item in counts] == [2]
    report = (await user.client.get(f"/report/4?{period}")).json
    assert report["parameters"]["from"] == "2025-07-31T22:00:00Z"
    assert report["parameters"]["to"] == "2025-08-02T22:00:00Z"
    for path in ("/events/export", "/visits/export"):
        assert (await user.client.get(f"{path}?{period}")).body.count(b"\n") == 2


async def test_a_day_that_a_zone_skipped_holds_nothing_and_is_a_period_all_the_same(user: User) -> None:
    """Samoa went from 29 to 31 December 2011."""
    visit = {"page_url": "https://shop.example/caviar/", "timestamp": "2011-12-30T10:00:00Z"}
    assert (await user.client.post("/visits", json=visit)).status == 201
    for first, last, counts in (("30", "30", 0), ("31", "31", 1), ("29", "29", 0), ("30", "31", 1)):
        period = f"from=2011-12-{first}&to=2011-12-{last}&tz=Pacific/Apia"
        answers = [await user.client.get(f"/report/{number}?{period}") for number in range(1, 8)]
        assert [answer.status for answer in answers] == [200] * 7
        assert sum(row["requests"] for row in answers[3].json["rows"]) == counts
        compared = await user.client.get(f"/report/6?{period}&compare=previous")
        assert (compared.status, (await user.client.get(f"/stats/dau?{period}")).status) == (200, 200)
        for chart in range(1, 8):
            assert (await user.client.get(f"/report/{chart}?{period}&format=svg")).status == 200
    refused = await user.client.get("/report/4?from=2011-12-31&to=2011-12-30&tz=Pacific/Apia")
    assert (refused.status, refused.pointers) == (422, ["/to"])
    refused = await user.client.get("/report/4?from=2025-08-02&to=2025-08-01")
    assert (refused.status, refused.pointers) == (422, ["/to"])


@pytest.mark.parametrize("text", ["2025-02-30", "2025-8-1", "9999-12-31T", "20250801"])
async def test_a_date_that_is_none_is_refused_by_name(user: User, text: str) -> None:
    answer = await user.client.get("/visits", params={"from": text})
    assert (answer.status, answer.pointers) == (422, ["/from"])


async def test_tasks_due_before_a_date_are_due_before_its_day(user: User) -> None:
    for due_at in ("2026-12-01T22:59:59Z", "2026-12-01T23:00:00Z"):
        await user.client.post("/tasks", json={"title": due_at, "due_at": due_at})
    items = (await user.client.get("/tasks?due_before=2026-12-02&tz=Europe/Berlin")).json["items"]
    assert [item["title"] for item in items] == ["2026-12-01T22:59:59Z"]


async def test_an_offset_may_lack_its_colon_everywhere(user: User) -> None:
    task = (await post_json(user, "/tasks", '{"title": "a", "due_at": "2026-12-01T05:30:00+0530"}')).json
    assert task["due_at"] == "2026-12-01T00:00:00Z"
    visit = '{"page_url": "/a/", "timestamp": "2025-12-01T05:30:00+0530"}'
    assert (await post_json(user, "/visits", visit)).json["timestamp"] == "2025-12-01T00:00:00Z"


async def test_events_may_come_as_a_bare_list_with_digits_null_and_a_byte_order_mark(user: User) -> None:
    events = [event(user_id="7", properties=None), event(user_id="-8"), event(user_id="1.0")]
    answer = await post_json(user, "/events", b"\xef\xbb\xbf" + json.dumps(events).encode())
    assert (answer.json["created"], answer.json["invalid"]) == (2, 1)
    stored = (await user.client.get("/events")).json["items"]
    assert {(item["user_id"], str(item["properties"])) for item in stored} == {(7, "{}"), (-8, "{}")}
    assert (await post_json(user, "/events", "[]")).status == 422


async def test_visits_may_come_as_a_bare_list_with_digits(user: User) -> None:
    visits = [{"page_url": f"/{number}/", "user_id": number} for number in ("301", -7, "7.0", "٣", None)]
    answer = await user.client.post("/visits", json=visits)
    assert (answer.status, answer.json["created"], answer.json["invalid"]) == (200, 3, 2)
    assert [result["errors"][0]["pointer"] for result in answer.json["results"]] == [
        "/visits/2/user_id",
        "/visits/3/user_id",
    ]
    stored = (await user.client.get("/visits")).json["items"]
    assert {item["user_id"] for item in stored} == {301, -7, user.id}
    assert (await user.client.post("/visits", json=[])).status == 422
    one = await user.client.post("/visits", json={"page_url": "/a/", "user_id": "302"})
    assert (one.status, one.json["user_id"]) == (201, 302)


NULLS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "/tasks": ({"title": "a"}, ("description", "status", "priority", "due_at")),
    "/visits": ({"page_url": "/a/"}, ("timestamp", "user_id", "id", "address", "agent", "referrer")),
    "/keys": ({"name": "a", "scopes": ["visits:read"]}, ("expires_at", "current_password")),
    "/shares": ({"view": "reports"}, ("parameters", "expires_at")),
}


@pytest.mark.parametrize("path", NULLS)
async def test_null_means_a_field_left_out_where_something_is_created(user: User, path: str) -> None:
    """Generated clients send it for what nobody has set; it fills in nothing that is needed."""
    body, optional = NULLS[path]
    answer = await user.client.post(path, json=body | dict.fromkeys(optional))
    assert answer.status == 201, answer.body
    for name in (*body, "colour"):
        assert (await user.client.post(path, json=body | {name: None})).pointers == [f"/{name}"]


async def test_null_is_the_default_in_a_put_of_a_task_and_wrong_in_a_patch(user: User) -> None:
    task = (await user.client.post("/tasks", json={"title": "a", "status": "done", "description": "b"})).json
    path, nulls = f"/tasks/{task['id']}", dict.fromkeys(("description", "status", "priority"))
    assert (await user.client.patch(path, json=nulls)).pointers == [f"/{name}" for name in nulls]
    put = (await user.client.put(path, json={"title": "a", **nulls})).json
    assert (put["status"], put["description"], put["priority"]) == ("todo", "", "normal")


async def test_null_for_what_a_sign_in_does_not_need_is_no_name(user: User) -> None:
    names = dict.fromkeys(("login", "email", "totp", "recovery_code", "refresh_token", "grant_type"))
    body = {**names, "username": user.login, "password": "wrong password"}
    assert (await user.client.post("/login", json=body)).code == "bad_credentials"
    assert (await user.client.post("/login", json={**body, "username": None})).pointers == ["/login"]
    assert (await user.client.post("/login", json={**body, "password": None})).pointers == ["/password"]


EVER = ("0001-01-01", "9999-12-31")
COUNTS = {  # items that a visit, and two events of a user in one day, are
    "/visits?": 1,
    "/visits/stats?": 1,
    "/visits/stats?group_by=day": 1,
    "/events?": 2,
    "/events/stats?": 2,
    "/events/stats?group_by=week": 1,
    "/stats/dau?": 1,
    "/stats/top-events?": 2,
    "/stats/funnel?steps=view,cart": 2,
}


@pytest.mark.parametrize("time", ["", "T00:00:00Z"])
@pytest.mark.parametrize("tz", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
async def test_the_ends_of_the_calendar_mean_for_ever(user: User, admin: User, time: str, tz: str) -> None:
    since, until = (f"{end}{time}" for end in EVER)
    await user.client.post("/events", json=[event(), event(event_type="cart")])
    await user.client.post("/visits", json={"page_url": "/caviar/", "timestamp": NOW})
    await user.client.post("/tasks", json={"title": "a", "due_at": NOW})
    for path, count in COUNTS.items():
        for period in (f"from={since}&to={until}", f"from={since}", f"to={until}"):
            answer = await user.client.get(f"{path}&{period}&tz={tz}")
            assert (answer.status, len(answer.json["items"])) == (200, count), (path, period, answer.body)
        assert (await user.client.get(f"{path}&from={until}&tz={tz}")).status == 200, path
    period = f"from={since}&to={until}&tz={tz}"
    compared = (await user.client.get(f"/visits/stats?compare=previous&{period}")).json["items"]
    assert compared[0]["previous"] == {"visits": 0, "visitors": 0}
    for number in range(1, 8):
        for path in (f"/report/{number}?{period}", f"/report/{number}?from={until}&tz={tz}"):
            assert (await user.client.get(path)).status == 200, path
    assert (await user.client.get(f"/report/4?{period}")).json["answer"] == 1
    for path in ("/events/export", "/visits/export"):
        assert (await user.client.get(f"{path}?{period}")).body
    assert len((await user.client.get(f"/tasks?due_before={until}&tz={tz}")).json["items"]) == 1
    assert not (await user.client.get(f"/tasks?due_before={since}&tz={tz}")).json["items"]
    await user.client.post("/logout")
    assert (await admin.client.get(f"/admin/auth-events?{period}")).json["items"]


@pytest.mark.parametrize("number", ["1e-20000", "0e-20000", "1.5e-16383", "1e-99999999999999999999"])
async def test_a_number_that_the_database_cannot_hold_refuses_its_event_alone(
    user: User, number: str
) -> None:
    bad = json.dumps(event()).replace("}", f', "properties": {{"x": {number}}}}}')
    good = json.dumps(event(properties={"x": 1e-300}))
    for body in (f'{{"events": [{bad}, {good}]}}', f"[{bad}, {json.dumps(event(user_id='9'))}]"):
        answer = await post_json(user, "/events", body)
        assert (answer.status, answer.json["created"], answer.json["invalid"]) == (200, 1, 1)
        [result] = answer.json["results"]
        assert result["errors"][0]["pointer"].startswith("/events/0/properties")


async def test_a_task_can_be_put_as_it_was_got_through_a_proxy_that_compresses(user: User) -> None:
    response = await user.client.post("/tasks", json={"title": "a"})
    path, etag = response.headers["Location"], response.headers["ETag"]
    body = response.json | {"title": "b"}
    answer = await user.client.put(path, json=body, headers={"If-Match": f"W/{etag}"})
    assert (answer.status, answer.json["title"]) == (200, "b")
    assert (await user.client.put(path, json=body, headers={"If-Match": f"W/{etag}"})).status == 412


async def test_statistics_take_other_names_and_repeated_steps(user: User) -> None:
    events = [
        event(event_type="a,b", properties={"plan": "pro"}),
        event(event_type="c", occurred_at="2025-08-01T12:01:00Z"),
    ]
    await user.client.post("/events", json={"events": events})
    by_default = (await user.client.get("/events/stats")).json["items"]
    assert {item["event_type"] for item in by_default} == {"a,b", "c"}
    for query in (
        "properties.plan=pro",
        "property.plan=pro",
        "segment=property.plan:pro",
        "segment=properties.plan=pro",
        "segment=properties.plan%3Dpro",
    ):
        active = (await user.client.get(f"/stats/dau?from=2025-08-01&to=2025-08-01&{query}")).json["items"]
        assert [item["users"] for item in active] == [1], query
    assert len((await user.client.get("/events?properties.plan=pro")).json["items"]) == 1
    steps = (await user.client.get("/stats/funnel", params=[("step", "a,b"), ("step", "c")])).json["items"]
    assert [(item["event_type"], item["users"]) for item in steps] == [("a,b", 1), ("c", 1)]
    for query in ("", "steps=a,b&step=c&step=d", "step=c"):
        assert (await user.client.get(f"/stats/funnel?{query}")).status == 422
    by_date = await user.client.get("/stats/retention?start_date=2025-08-01&windows=1")
    assert by_date.json == (await user.client.get("/stats/retention?start=2025-08-01&windows=1")).json
    assert by_date.json["items"][0]["size"] == 1


async def test_a_generated_client_may_send_every_default_of_the_reports(user: User) -> None:
    document = (await user.client.get("/openapi.json")).json
    parameters = document["paths"]["/api/v1/report/{number}"]["get"]["parameters"]
    defaults = {
        each["name"]: json.dumps(each["schema"]["default"]).strip('"')
        for each in parameters
        if "default" in each["schema"]
    }
    assert {"limit", "tz"} <= defaults.keys()
    for number in range(1, 8):
        assert (await user.client.get(f"/report/{number}", params=defaults)).status == 200


@pytest.mark.parametrize("group", ["day", "week", "month"])
async def test_pages_go_on_past_a_group_that_begins_before_1970(user: User, group: str) -> None:
    times = ("1970-01-01T00:00:00Z", "1970-03-01T00:00:00Z")
    await user.client.post("/events", json={"events": [event(occurred_at=time) for time in times]})
    path = f"/events/stats?group_by=type,{group}&tz=America/New_York&limit=1"
    first = (await user.client.get(path)).json
    second = (await user.client.get(f"{path}&cursor={first['next']}")).json
    assert len({str(item) for item in first["items"] + second["items"]}) == 2


async def test_utf_8_that_is_not_percent_encoded_is_the_same_url(front_url: str, user: User) -> None:
    await user.client.post("/tasks", json={"title": "Заказать лосося"})
    for path, part in (("/tasks?q=лосос", "лосося"), ("/pages/икра/", "page_url")):
        request = (
            f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: {user.token}\r\n\r\n"
        )
        status, _, body = await raw_request(front_url, request.encode())
        assert status == 200
        assert part in body.decode()
    encoded = (await user.client.get("/pages/икра/")).json  # aiohttp encodes it
    assert encoded["visits"] == 2


async def test_bytes_that_are_no_utf_8_are_a_bad_request(front_url: str, user: User) -> None:
    head = f"HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: {user.token}\r\n\r\n".encode()
    status, _, _ = await raw_request(front_url, b"GET /tasks?q=\xff\xfe " + head)
    assert status == 400  # of the HTTP server itself, which has no body for it


@pytest.mark.parametrize("content", ['{"title": "a"}', '{"login": "Anna", "password": "wrong password"}'])
async def test_a_byte_order_mark_is_skipped_before_any_json(user: User, content: str) -> None:
    path, status = ("/tasks", 201) if "title" in content else ("/login", 401)
    assert (await post_json(user, path, b"\xef\xbb\xbf" + content.encode())).status == status


@pytest.mark.parametrize("path", ["/events/stats", "/visits/stats"])
async def test_groups_may_be_repeated_or_stand_in_one_parameter(user: User, path: str) -> None:
    await user.client.post("/events", json={"events": [event()]})
    await user.client.post("/visits", json={"page_url": "/caviar/"})
    together = await user.client.get(f"{path}?group_by=user,day")
    apart = await user.client.get(path, params=[("group_by", "user"), ("group_by", "day")])
    assert together.status == 200
    assert apart.json == together.json
    for query in ("group_by=user&group_by=user", "group_by=user,day&group_by=week", "group_by="):
        assert (await user.client.get(f"{path}?{query}")).pointers == ["/group_by"]
