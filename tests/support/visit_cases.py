"""Cases for property tests of visits: live ones, lines of parts, what they say, and filters."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from db.queries.live_visits import LiveRow
from tests.support.live_cases import live_row
from tests.support.parts import NOTHING_SAID, Line, Said, line, some_keys

NOTHING: dict[str, Any] = {
    "since": None,
    "until": None,
    "user_id": None,
    "page_url": None,
    "source": None,
    "country": None,
    "category": None,
    "kind": None,
    "traffic": "all",
    "referrer": None,
    "browser": None,
    "os": None,
    "device": None,
    "status": None,
}
FIREFOX: dict[str, Any] = {"agent": "Firefox", "browser": "Firefox", "os": "Windows", "device": "desktop"}
SAID = (
    NOTHING_SAID,
    NOTHING_SAID,
    Said(**FIREFOX, referrer="https://a.example/x?y", host="a.example"),
    Said("GET", 200, 0, **FIREFOX),
    Said("GET", 404, 7, "https://b.example/", "b.example", "Curl", "curl", is_bot=True),
    Said("POST", 304, None, "https://a.example/", "a.example", "Safari", "Safari", "iOS", "mobile"),
    Said(None, 200, 2**40, "something", None, "?"),
)
# Clocks change within these days in most of these zones, by an hour, half an hour, or over midnight.
BEGINS = tuple(datetime(2018, month, day, tzinfo=UTC) for month, day in ((3, 31), (10, 6), (10, 27), (11, 3)))
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/Havana",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
)
ADDRESSES = (
    ("8.8.8.8", "US"),
    ("121.165.118.201", "KR"),
    ("10.0.0.1", None),
    (None, None),
    ("8.8.4.4", "US"),
)
PAGES = (
    "/",
    "/fresh_fish/",
    "/fresh_fish/salmon/",
    "/caviar/",
    "https://shop.example/caviar/",
    "/рыба/",
    "https://shop.example/cart?goods_id=5&amount=2&cart_id=31",
    "https://shop.example/cart?amount=2&goods_id=5&cart_id=31",
    "https://shop.example/pay?user_id=1&cart_id=31",
    "https://shop.example/pay?user_id=12&cart_id=3",
    "https://shop.example/success_pay_31/",
    "/success_pay_31/",
)


@dataclass(frozen=True, slots=True)
class LiveSaid:
    """A live visit, and what it says: no method, status or bytes."""

    row: LiveRow
    said: Said

    def __getattr__(self, name: str) -> Any:
        return getattr(self.row, name)


Row = LiveSaid | Line


@st.composite
def visits(draw: st.DrawFn) -> tuple[list[LiveSaid], list[list[Line]]]:
    """Draw live visits, and the lines of up to three parts."""
    begin = draw(st.sampled_from(BEGINS))
    live, parts, keys = [], [], some_keys(100)

    def instant() -> datetime:
        minutes = draw(st.one_of(st.integers(0, 10), st.integers(0, 60 * 50)))
        return begin + timedelta(minutes=minutes, seconds=draw(st.integers(0, 3)))

    for position in range(draw(st.integers(0, 15))):
        address, country = draw(st.sampled_from(ADDRESSES))
        row = live_row(
            draw(st.sampled_from(PAGES)),
            occurred_at=instant(),
            position=position,
            user_id=draw(st.sampled_from((None, -1, 0, 1))),
            address=address,
            country=country,
            source=draw(st.sampled_from(("api", "page"))),
        )
        said = replace(draw(st.sampled_from(SAID)), method=None, status=None, bytes=None)
        live.append(LiveSaid(row, said))
    for _ in range(draw(st.integers(0, 3))):
        part, choice = [], draw(st.sampled_from((SAID, (NOTHING_SAID,))))
        for _ in range(draw(st.integers(1, 12))):
            address, country = draw(st.sampled_from(ADDRESSES[:3]))
            page_url = draw(st.sampled_from(PAGES))
            part.append(
                line(
                    page_url,
                    at=instant(),
                    key=keys.pop(),
                    address=address,
                    country=country,
                    said=draw(st.sampled_from(choice)),
                )
            )
        parts.append(part)
    return live, parts


@st.composite
def filters(draw: st.DrawFn) -> dict[str, Any]:
    begin = draw(st.sampled_from(BEGINS))
    since = draw(st.one_of(st.none(), st.integers(0, 60).map(lambda hours: begin + timedelta(hours=hours))))
    until = None if since is None or draw(st.booleans()) else since + timedelta(minutes=617)
    some = {
        "user_id": st.integers(-1, 1),
        "page_url": st.sampled_from(PAGES),
        "source": st.sampled_from(("api", "page", "log")),
        "country": st.sampled_from(("US", "KR", "DE")),
        "category": st.sampled_from(("fresh_fish", "caviar", "none")),
        "kind": st.sampled_from(("main", "cart", "pay", "success", "other")),
        "traffic": st.sampled_from(("human", "bot")),
        "referrer": st.sampled_from(("a.example", "B.example", "https://a.example/", "https://c.example/")),
        "browser": st.sampled_from(("Firefox", "curl", "none")),
        "os": st.sampled_from(("Windows", "iOS")),
        "device": st.sampled_from(("desktop", "mobile")),
        "status": st.sampled_from((200, 404, 500)),
    }
    names = draw(st.lists(st.sampled_from(sorted(some)), max_size=2, unique=True))
    return {**NOTHING, "since": since, "until": until, **{name: draw(some[name]) for name in names}}


def lines(count: int, *, begin: datetime = datetime(2018, 8, 1, tzinfo=UTC), seed: int = 1) -> list[Line]:
    """Lines of all pages, four of an instant."""
    return [
        line(PAGES[place % len(PAGES)], at=begin + timedelta(seconds=place // 4), key=key)
        for place, key in enumerate(some_keys(count, seed=seed))
    ]
