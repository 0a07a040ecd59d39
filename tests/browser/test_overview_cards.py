"""The cards of the overview: how few answers they read, what they say under filters, all rows, and paper."""

from collections import Counter
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Page, Request, expect

from tests.support.dashboard_page import Dashboard
from tests.support.http_client import User
from tests.support.log_imports import some_lines

pytestmark = pytest.mark.slow

SHOP = "https://shop.example"
PRINT = """window.print = () => {
    document.body.dataset.missing = document.querySelectorAll(".overview > [aria-busy]").length;
}"""
CHOICES = """all => all.map(one => one.dataset.choice)"""
ANSWERS_AT_MOST = 14
# Where the cards of each row begin and end.
ROWS = """all => Object.values(Object.groupBy(
    all.map(one => one.getBoundingClientRect()).sort((one, two) => one.top - two.top || one.left - two.left),
    ({ top }) => Math.round(top).toString().padStart(6, "0") + "px",
)).map(row => row.map(({ left, right }) => [Math.round(left), Math.round(right)]))"""


def visit(page_url: str, **fields: str) -> dict[str, str]:
    return {"page_url": SHOP + page_url, "timestamp": "2026-05-06T07:08:09Z", **fields}


async def show_all_cards(page: Page) -> None:
    for card in await page.locator("[data-card]").all():
        await card.scroll_into_view_if_needed()
        await expect(card).not_to_have_attribute("aria-busy", "true")


async def test_an_answer_that_several_cards_need_is_read_once(dashboard: Dashboard, user: User) -> None:
    page = dashboard.page
    visits = [visit(f"/caviar/product-{number}/", address=f"192.0.2.{number}") for number in range(1, 12)]
    assert (await user.client.post("/visits", json={"visits": visits})).json["created"] == 11
    await dashboard.open()
    await dashboard.sign_in(user.login)
    urls: Counter[str] = Counter()

    def count(request: Request) -> None:
        if "/visits" in request.url or "/report/" in request.url:
            urls[request.url] += 1

    page.on("request", count)
    await page.reload()
    await dashboard.wait_until_loaded("overview")
    await show_all_cards(page)
    assert set(urls.values()) == {1}
    assert len(urls) <= ANSWERS_AT_MOST + 1  # and when the newest visit was
    groups = {parse_qs(urlsplit(url).query).get("group_by", [""])[0] for url in urls}
    assert {"day", "kind", "browser,os", "device,status"} <= groups
    for name in ("browsers", "systems", "devices", "statuses"):
        card = page.locator(f"[data-card={name}]")
        assert await card.locator(".bar-value").all_inner_texts() == ["11"]
        await expect(card.get_by_text("logs of the combined format do")).to_be_visible()
    assert await page.locator("[data-card=kinds] .bar-value").all_inner_texts() == ["11"]


async def test_products_of_one_name_are_told_apart(dashboard: Dashboard, user: User) -> None:
    paths = ["/fresh_fish/salmon/", "/frozen_fish/salmon/", "/caviar/", "/caviar/black_caviar/"]
    visits = [visit(path) for path in paths] + [visit("/fresh_fish/salmon/"), visit("/caviar/red/")]
    other_shop = {**visit("/"), "page_url": "https://other.example/caviar/red/"}
    assert (await user.client.post("/visits", json={"visits": [*visits, other_shop]})).json["created"] == 7
    await dashboard.open()
    await dashboard.sign_in(user.login)
    products = dashboard.page.locator("[data-card=products]")
    await products.scroll_into_view_if_needed()
    labels = products.locator(".bar-label")
    await expect(labels).to_have_count(5)
    assert await labels.first.inner_text() == "salmon · fresh fish"
    assert {*await labels.all_inner_texts()} == {
        *("salmon · fresh fish", "salmon · frozen fish", "black caviar"),
        *("shop.example/caviar/red/", "other.example/caviar/red/"),
    }


async def test_under_filters_carts_say_in_words_what_their_numbers_are(
    dashboard: Dashboard, user: User
) -> None:
    page = dashboard.page
    walk = ["/caviar/", "/cart?goods_id=1&amount=2&cart_id=3", "/pay?user_id=7&cart_id=3", "/success_pay_3/"]
    visits = [visit(each, address="8.8.8.8") for each in walk] + [visit("/caviar/", address="192.0.2.1")]
    assert (await user.client.post("/visits", json={"visits": visits})).json["created"] == 5
    carts, paid = page.locator("[data-total=carts]"), page.locator("[data-total=paid]")
    notes = page.locator(".tile-note:not(:empty)")
    await dashboard.open()
    await dashboard.sign_in(user.login)
    await expect(carts).to_have_text("1")
    await expect(paid).to_have_text("1")
    await expect(page.locator("[data-total=conversion]")).to_have_text("50.0%")
    await expect(notes).to_have_count(0)

    await dashboard.visit("overview?country=US")
    await page.get_by_role("heading", name="Cart lines").wait_for()
    await expect(carts).to_have_text("1")
    await expect(notes).to_have_text(["Lines, as carts can't be filtered."] * 2)
    await expect(page.locator("[data-total=conversion]")).to_have_text("100.0%")

    await dashboard.visit("overview?category=caviar&user_id=7")
    for name in ("carts", "paid", "conversion"):
        await expect(page.locator(f"[data-total={name}]")).to_have_text("—")
    await expect(notes).to_have_text(["No number under this filter: User, Category"] * 3)
    assert await dashboard.barriers() == []

    await dashboard.visit(
        "overview?source=site&period=all"
    )  # reports count what is live together, and say so
    await expect(carts).to_have_text("1")
    await expect(notes).to_have_text(["Of programs, pages and sites together."] * 2)


async def test_all_rows_of_a_card_are_searched_sorted_and_filter_the_view(
    dashboard: Dashboard, admin: User
) -> None:
    page, pages = dashboard.page, dashboard.page.locator("[data-card=pages]")
    visits = [visit(f"/many/{number:02}/") for number in range(12) for _ in range(number + 1)]
    visits += [visit("/few/", address=f"192.0.2.{number}") for number in range(1, 5)]
    assert (await admin.client.post("/visits", json={"visits": visits})).json["created"] == len(visits)
    await dashboard.open()
    await dashboard.sign_in(admin.login)
    await pages.get_by_role("button", name="More").click()
    dialog = page.get_by_role("dialog")
    rows = dialog.locator("[data-choice]")
    await expect(rows).to_have_count(13)
    items = (await admin.client.get("/visits/stats?group_by=page")).json["items"]
    assert await rows.evaluate_all(CHOICES) == [item["page_url"] for item in items]
    assert (await dashboard.barriers(), await dashboard.cut()) == ([], [])
    await dialog.get_by_label("Order").select_option("visitors")
    assert (await rows.evaluate_all(CHOICES))[0] == f"{SHOP}/few/"
    await dialog.get_by_label("Search").fill("MANY/07")
    await expect(rows).to_have_count(1)
    await dialog.get_by_text("1 of 13 rows.").wait_for()
    await page.set_viewport_size({"width": 360, "height": 740})
    assert not await dashboard.overflows()
    await rows.first.click()
    await expect(dialog).to_have_count(0)
    await expect(page.locator("[data-total=visits]")).to_have_text("8")
    assert "page_url=" in page.url


@pytest.mark.parametrize("query", ["?print", ""])
async def test_a_view_is_printed_with_all_cards_wherever_they_are(
    dashboard: Dashboard, admin: User, query: str
) -> None:
    page = dashboard.page
    await admin.client.post("/imports?wait=30", data=some_lines(40))
    assert (await admin.client.post("/visits", json={"visits": [visit("/caviar/")]})).status == 200
    await page.add_init_script(PRINT)
    await page.set_viewport_size({"width": 800, "height": 500})
    await dashboard.open(f"{query}#overview")
    await dashboard.sign_in(admin.login)
    await page.emulate_media(media="print")
    missing = page.get_by_text("Some cards are missing here")
    if not query:
        await missing.wait_for()  # as when the browser's own menu prints
        assert not await page.locator("[data-card=hours]").is_visible()
        await page.emulate_media(media="screen")
        await page.get_by_role("button", name="Print").click()
    await page.wait_for_selector("body[data-missing='0']")
    await page.emulate_media(media="print")
    assert not await missing.is_visible()
    cards = page.locator("[data-card]")
    assert await cards.count() == 12
    for card in await cards.all():
        assert await card.is_visible()
        assert await card.locator(".content").inner_text() not in ("", "…")
    await page.locator(".world path.mark, .world path.land").first.wait_for()
    assert (await page.pdf()).startswith(b"%PDF")


async def test_cards_stand_on_the_columns_of_the_first_row_and_leave_no_hole(
    dashboard: Dashboard, user: User
) -> None:
    page = dashboard.page
    assert (await user.client.post("/visits", json={"visits": [visit("/")]})).status == 200
    await dashboard.open()
    await dashboard.sign_in(user.login)
    columns: set[int] = set()
    for width in (360, 768, 1280, 1920, 2100, 2560, 3840):
        await page.set_viewport_size({"width": width, "height": 900})
        timeline, first, *others, hours = await page.locator(".overview > .card").evaluate_all(ROWS)
        assert timeline == hours == [[first[0][0], first[-1][1]]]
        for row in others:
            assert {left for left, _ in row} <= {left for left, _ in first}
            assert {right for _, right in row} <= {right for _, right in first}
            assert [row[0][0], row[-1][1]] == timeline[0]
        columns.add(len(first))
    assert columns >= {1, 2, 3, 4, 5}


async def test_a_page_is_told_by_its_path_where_there_is_no_room_for_its_host(
    dashboard: Dashboard, user: User
) -> None:
    page, labels = dashboard.page, dashboard.page.locator("[data-card=pages] .bar-label")
    urls = [f"pages.of.a.shop.example/{category}/" for category in ("frozen_fish", "semi_manufactures")]
    visits = [{"page_url": f"https://{url}"} for url in urls]
    assert (await user.client.post("/visits", json={"visits": visits})).status == 200
    await page.set_viewport_size({"width": 360, "height": 900})
    await dashboard.open()
    await dashboard.sign_in(user.login)
    await labels.first.scroll_into_view_if_needed()
    assert await labels.all_text_contents() == urls
    paths = labels.locator("span:last-child")
    assert await paths.evaluate_all("all => all.map(one => one.scrollWidth <= one.clientWidth)") == [
        True,
        True,
    ]
