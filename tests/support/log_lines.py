"""Hypothesis strategies for access logs: lines that match, lines that nearly match, and whole logs."""

from datetime import datetime, timedelta

from hypothesis import strategies as st

CATEGORIES = ("fresh_fish", "frozen_fish", "semi_manufactures", "caviar")
PRODUCTS = ("salmon", "pike", "eel")
# Few of each, so that lines share a second, an address, a cart or goods, and come twice.
ADDRESSES = ("8.8.8.8", "121.165.118.201", "10.0.0.1", "2001:4860:4860::8888", "::ffff:8.8.4.4", "224.0.0.1")
KEYS = ("AAAAAAAA", "B2B2B2B2", "ZZZZ9999")
BIG = 2**63 - 1

numbers = st.sampled_from((1, 2, 3, BIG))
SPELLINGS = (
    *("/%d1%80%D1%8B%d0%b1%D0%B0/", "/рыба/", "/%66resh_fish/./eel", "/caviar/a%2fb%20c/?q=%d1%8f", "/%zz/"),
    *('/"a|b"/', "/a/../caviar/..", "/%63art?goods%5fid=1&amount=%32&cart_id=3", "/logo.png"),
)
paths = st.one_of(
    st.sampled_from(("", "/", "/?utm=1", "/#top", "//", "/a/b/c/", "/fresh_fish", "/success_pay_1/x")),
    st.sampled_from(SPELLINGS),
    st.sampled_from(CATEGORIES).map(lambda category: f"/{category}/"),
    st.tuples(st.sampled_from(CATEGORIES), st.sampled_from(PRODUCTS)).map(
        lambda pair: f"/{pair[0]}/{pair[1]}/"
    ),
    st.tuples(numbers, numbers, numbers).map(lambda n: f"/cart?goods_id={n[0]}&amount={n[1]}&cart_id={n[2]}"),
    st.tuples(numbers, numbers).map(lambda n: f"/pay/?cart_id={n[0]}&user_id={n[1]}&extra=1"),
    numbers.map(lambda n: f"/success_pay_{n}/"),
)
BROKEN_PATHS = (
    "/cart",
    "/cart?goods_id=1&amount=2",
    "/cart?goods_id=1&amount=0&cart_id=3",
    "/cart?goods_id=1&amount=1.5&cart_id=3",
    "/cart?goods_id=1&goods_id=1&amount=1&cart_id=3",
    f"/pay?user_id={BIG + 1}&cart_id=1",
    "/pay?user_id=-1&cart_id=1",
    "/pay?user_id=\N{ARABIC-INDIC DIGIT THREE}&cart_id=1",
    "/success_pay_/",
    "/success_pay_one/",
    "/caviar/ /",
    "/\x85",
)
times = st.integers(0, 40).map(lambda minutes: datetime(2018, 10, 28) + timedelta(minutes=10 * minutes))


def line(time: object, key: str, address: str, path: str, *, padding: int = 6, scheme: str = "https") -> str:
    return f"shop_api{' ' * padding}| {time} [{key}] INFO: {address} {scheme}://shop.example{path}"


good_lines = st.builds(
    line,
    times,
    st.one_of(st.sampled_from(KEYS), st.text("ABC123", min_size=8, max_size=8)),
    st.sampled_from(ADDRESSES),
    paths,
    padding=st.sampled_from((6, 6, 6, 1)),
    scheme=st.sampled_from(("https", "https", "http")),
).map(str.encode)
broken_lines = st.one_of(
    st.builds(
        line, times, st.sampled_from(KEYS), st.sampled_from(ADDRESSES), st.sampled_from(BROKEN_PATHS)
    ).map(str.encode),
    st.builds(
        line,
        st.sampled_from(
            ("2018-02-30 00:00:00", "2018-01-01 24:00:00", "2018-01-01 00:00:60", "1969-12-31 00:00:00")
        ),
        st.sampled_from(KEYS),
        st.sampled_from(ADDRESSES),
        paths,
    ).map(str.encode),
    st.builds(
        line,
        times,
        st.sampled_from(("AAAA", "aaaaaaaa", "AAAAAAAAA")),
        st.sampled_from(("8.8.8.8", "8.8.8.08", "fe80::1%eth0", "1.2.3", "0.0.0.256")),
        paths,
    ).map(str.encode),
    st.builds(
        line, times, st.sampled_from(KEYS), st.sampled_from(("8.8.8.256", "1:2", "fe80::1%1")), paths
    ).map(str.encode),
    st.binary(max_size=90),
    good_lines.map(lambda raw: raw + b"\xff"),
    good_lines.map(lambda raw: raw[:-30]),
    good_lines.map(lambda raw: b" " + raw),
    st.sampled_from((b"", b"  ", b"\r", b"\t\r", b"\0", "\N{NO-BREAK SPACE}".encode())),
)


@st.composite
def logs(draw: st.DrawFn, *, broken: int = 1, min_lines: int = 0, max_lines: int = 60) -> bytes:
    """Draw a whole log, often in the order of time; of 10 lines about `broken` do not match."""
    kinds = [good_lines] * (10 - broken) + [broken_lines] * broken
    lines = draw(st.lists(st.one_of(kinds), min_size=min_lines, max_size=max_lines))
    if draw(st.booleans()):
        lines.sort(key=lambda raw: raw[16:35])
    endings = draw(st.sampled_from((b"\n", b"\n", b"\r\n")))
    return endings.join(lines) + draw(st.sampled_from((b"", b"\n")))
