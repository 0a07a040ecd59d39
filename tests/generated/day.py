"""A user's day by the client that openapi-python-client makes: python day.py URL ADMIN PASSWORD.

It is run and type-checked beside the generated package `trawl_client`, by tests/test_generated_clients.py.
"""

import datetime as dt
import io
import sys
import uuid
from typing import Any, TypeVar

from trawl_client import AuthenticatedClient, Client
from trawl_client.api.events import create_events, export_events, list_events
from trawl_client.api.imports import get_import, list_imports, list_rejects, upload_log
from trawl_client.api.keys import create_key, delete_key, list_keys
from trawl_client.api.profile import get_profile, update_profile
from trawl_client.api.reports import get_report, list_reports
from trawl_client.api.service import get_health
from trawl_client.api.sessions import list_sessions, sign_in, sign_out
from trawl_client.api.statistics import count_events, daily_active_users, funnel, retention, top_events
from trawl_client.api.tasks import create_task, delete_task, get_task, list_tasks, replace_task, update_task
from trawl_client.api.users import sign_up
from trawl_client.api.visits import count_visits, export_visits, get_visit, list_visits, record_visits
from trawl_client.models import (
    CountEventsGroupByItem,
    CountVisitsGroupByItem,
    CreateEventsRequest,
    CreateEventsResponse,
    CreateKeyRequest,
    CreateKeyRequestScopesItem,
    CreateTaskRequest,
    EventRequest,
    EventRequestPropertiesType0,
    GetReportNumber,
    ImportResponse,
    ListEventsProperty,
    ListEventsResponse200,
    ListTasksResponse200,
    NewKeyResponse,
    RecordVisitRequest,
    RecordVisitsRequest,
    RecordVisitsResponse,
    RegisterRequest,
    ReplaceTaskRequest,
    ReportResponse,
    SignInRequest,
    TaskResponse,
    TokenPairResponse,
    UpdateProfileRequest,
    UpdateTaskRequest,
    UploadForm,
    VisitResponse,
)
from trawl_client.types import File, Response

T = TypeVar("T")
NOW = dt.datetime(2025, 8, 1, 12, tzinfo=dt.UTC)
PASSWORD = "correct horse battery"
LINE = b"shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 121.165.118.201 https://shop.example/caviar/\n"
LOG = LINE + b"no line\n"


def parsed(response: Response[Any], kind: type[T], status: int = 200) -> T:
    assert response.status_code == status, (response.status_code, response.content)
    assert isinstance(response.parsed, kind), response.parsed
    return response.parsed


def check(response: Response[Any], status: int = 200) -> None:
    assert response.status_code == status, (response.status_code, response.content)


def signed_in(url: str, login: str, password: str) -> AuthenticatedClient:
    response = sign_in.sync_detailed(client=Client(url), body=SignInRequest(login=login, password=password))
    return AuthenticatedClient(url, token=parsed(response, TokenPairResponse).access_token)


def work_on_tasks(client: AuthenticatedClient) -> None:
    new = CreateTaskRequest(title="Order salmon", due_at=NOW)
    task = parsed(create_task.sync_detailed(client=client, body=new), TaskResponse, 201)
    assert task.due_at == NOW
    again = parsed(get_task.sync_detailed(task.id, client=client), TaskResponse)
    assert again == task
    put = ReplaceTaskRequest.from_dict(task.to_dict() | {"title": "Order cod"})
    assert (
        parsed(replace_task.sync_detailed(task.id, client=client, body=put), TaskResponse).title
        == "Order cod"
    )
    patch = UpdateTaskRequest(due_at=None)
    assert parsed(update_task.sync_detailed(task.id, client=client, body=patch), TaskResponse).due_at is None
    tasks = list_tasks.sync_detailed(client=client, q="cod").parsed
    assert isinstance(tasks, ListTasksResponse200)
    assert [item.id for item in tasks.items] == [task.id]
    check(delete_task.sync_detailed(task.id, client=client), 204)


def send_events(client: AuthenticatedClient, user_id: int) -> None:
    events = [
        EventRequest(
            event_id=uuid.uuid4(),
            user_id=user_id,
            event_type=event_type,
            occurred_at=NOW + dt.timedelta(minutes=minutes),
            properties=EventRequestPropertiesType0.from_dict({"plan": "pro"}),
        )
        for minutes, event_type in enumerate(("view", "buy"))
    ]
    body = CreateEventsRequest(events=events)
    for created, duplicates in ((2, 0), (0, 2)):
        answer = parsed(create_events.sync_detailed(client=client, body=body), CreateEventsResponse)
        assert (answer.created, answer.duplicates) == (created, duplicates)
    day = NOW.date()
    check(list_events.sync_detailed(client=client, from_=day, to=day))
    assert export_events.sync_detailed(client=client).content.count(b"\n") == 2
    by_type_and_day = [CountEventsGroupByItem.TYPE, CountEventsGroupByItem.DAY]
    check(count_events.sync_detailed(client=client, group_by=by_type_and_day))
    plan = ListEventsProperty.from_dict({"property.plan": "pro"})
    listed = list_events.sync_detailed(client=client, property_=plan, limit=1).parsed
    assert isinstance(listed, ListEventsResponse200)
    assert len(listed.items) == 1
    assert isinstance(listed.next_, str)
    check(top_events.sync_detailed(client=client, from_=day, to=day))
    check(daily_active_users.sync_detailed(client=client, from_=day, to=day))
    check(funnel.sync_detailed(client=client, step=["view", "buy"]))
    check(retention.sync_detailed(client=client, start=day))


def record(client: AuthenticatedClient) -> None:
    one = RecordVisitRequest(page_url="/fresh_fish/salmon/", timestamp=NOW)
    visit = parsed(record_visits.sync_detailed(client=client, body=one), VisitResponse, 201)
    assert parsed(get_visit.sync_detailed(visit.id, client=client), VisitResponse) == visit
    many = RecordVisitsRequest(visits=[RecordVisitRequest(page_url="/caviar/", timestamp=NOW)])
    answer = parsed(record_visits.sync_detailed(client=client, body=many), RecordVisitsResponse)
    assert answer.created == 1
    check(list_visits.sync_detailed(client=client, from_=NOW))
    check(count_visits.sync_detailed(client=client, group_by=[CountVisitsGroupByItem.COUNTRY]))
    assert export_visits.sync_detailed(client=client).content.count(b"\n") >= 2


def read_reports(client: AuthenticatedClient) -> None:
    check(list_reports.sync_detailed(client=client))
    for number in GetReportNumber:
        response = get_report.sync_detailed(number, client=client)
        assert parsed(response, ReportResponse).report == int(number)


def use_a_key(client: AuthenticatedClient, url: str) -> None:
    body = CreateKeyRequest(name="a shop", scopes=[CreateKeyRequestScopesItem.REPORTSREAD])
    key = parsed(create_key.sync_detailed(client=client, body=body), NewKeyResponse, 201)
    program = AuthenticatedClient(url, token=key.key)
    check(get_report.sync_detailed(GetReportNumber.VALUE_1, client=program))
    check(list_tasks.sync_detailed(client=program), 403)
    check(list_keys.sync_detailed(client=client))
    check(delete_key.sync_detailed(key.id, client=client), 204)
    check(get_report.sync_detailed(GetReportNumber.VALUE_1, client=program), 401)


def upload(admin: AuthenticatedClient) -> None:
    bodies: tuple[File | UploadForm, ...] = (
        File(io.BytesIO(LOG)),
        UploadForm(File(io.BytesIO(LOG), file_name="july.log")),
        UploadForm(File(io.BytesIO(LOG))),
    )
    for body, name in zip(bodies, ("upload", "july.log", "upload"), strict=True):
        record = parsed(upload_log.sync_detailed(client=admin, body=body), ImportResponse, 202)
        assert (record.name, record.lines, record.rejected) == (name, 2, 1)
        check(get_import.sync_detailed(record.id, client=admin))
        check(list_rejects.sync_detailed(record.id, client=admin))
    check(list_imports.sync_detailed(client=admin))


def live(url: str, admin: str, admin_password: str) -> None:
    check(get_health.sync_detailed(client=Client(url)))
    account = RegisterRequest(email="anna@shop.example", password=PASSWORD, first_name="Anna")
    check(sign_up.sync_detailed(client=Client(url), body=account), 201)
    client = signed_in(url, "anna@shop.example", PASSWORD)
    profile = get_profile.sync_detailed(client=client).parsed
    assert profile is not None
    check(update_profile.sync_detailed(client=client, body=UpdateProfileRequest(last_name="Smirnova")))
    work_on_tasks(client)
    send_events(client, 7)
    record(client)
    read_reports(client)
    use_a_key(client, url)
    check(list_sessions.sync_detailed(client=client))
    upload(signed_in(url, admin, admin_password))
    check(sign_out.sync_detailed(client=client), 204)
    check(get_profile.sync_detailed(client=client), 401)


if __name__ == "__main__":
    live(*sys.argv[1:4])
    print("a whole day")
