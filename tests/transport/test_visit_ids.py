"""Ids of visits: each stands for one visit, whatever it came from."""

import uuid

from tests.support.http_client import User

LOG = b"".join(
    b"2018-08-01 00:01:3%d [AAAAAAA%d] INFO: 8.8.8.8 https://shop.example/caviar/\n" % (number, number)
    for number in range(3)
)


async def test_the_id_of_a_log_line_stands_for_no_other_visit(user: User, admin: User) -> None:
    upload = await admin.client.post("/imports", data=LOG, headers={"Content-Type": "text/plain"})
    assert (upload.status, upload.json["status"], upload.json["imported"]) == (202, "done", 3)
    lines = (await user.client.get("/visits")).json["items"]
    ids = [line["id"] for line in lines]
    taken = await user.client.post("/visits", json={"page_url": "/mine/", "id": ids[1]})
    assert (taken.status, taken.json.get("code")) == (409, "conflict")
    unused = str(uuid.UUID(int=uuid.UUID(ids[0]).int ^ 1))  # of a line that is in no log
    batch = [{"page_url": "/mine/", "id": visit_id} for visit_id in (ids[0], unused, ids[2], unused)]
    answer = await user.client.post("/visits", json={"visits": batch})
    assert [(one["index"], one["status"], one["id"]) for one in answer.json["results"]] == [
        (0, "conflict", ids[0]),
        (2, "conflict", ids[2]),
        (3, "duplicate", unused),
    ]
    assert (answer.json["created"], answer.json["conflicts"], answer.json["duplicates"]) == (1, 2, 1)
    for line in lines:
        assert (await user.client.get(f"/visits/{line['id']}")).json == line
    assert len((await user.client.get("/visits")).json["items"]) == 4
