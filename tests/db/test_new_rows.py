"""Rows that are inserted as new: one that somebody else has inserted meanwhile is left out."""

from db.database import Database
from db.queries.agents import ReferrerRow, insert_referrers, select_referrers
from db.queries.new_rows import insert_new
from db.queries.pages import PageRow, ensure_pages
from db.sessions import raw_connection


async def test_rows_that_others_have_inserted_are_left_out(db: Database) -> None:
    async with db.transaction() as session:
        raw = await raw_connection(session)
        await raw.execute("CREATE TEMPORARY TABLE own (name text PRIMARY KEY) ON COMMIT DROP")
        sql = "INSERT INTO own SELECT unnest($1::text[]) ON CONFLICT DO NOTHING RETURNING name"
        assert [row["name"] for row in await insert_new(raw, sql, ["a", "b"])] == ["a", "b"]
        assert [row["name"] for row in await insert_new(raw, sql, ["b", "c"])] == ["c"]


async def test_new_and_old_pages_and_referrers_have_one_id_each(db: Database) -> None:
    pages = [PageRow(f"/of-new-rows/{number}", "o", None, None) for number in range(3)]
    async with db.transaction() as session:
        [first] = await ensure_pages(session, pages[1:2])
        ids = await ensure_pages(session, pages)
        assert ids[1] == first
        assert len(set(ids)) == len(pages)
        rows = [ReferrerRow(f"https://new-rows.example/{number}", None) for number in range(3)]
        old = await insert_referrers(session, rows[1:2])
        new = await insert_referrers(session, rows)
        assert old | new == await select_referrers(session, [row.url for row in rows])
