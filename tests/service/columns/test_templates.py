"""URLs that are made of numbers, parsed one by one and all at once."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from service.columns.templates import PageTemplates, Template, parse_template, parse_templates

NUMBER = st.sampled_from(("0", "1", "01", "42", "9" * 18, str(2**63 - 1), str(2**63), "1" * 19, "1" * 20, ""))
HOST = st.sampled_from(
    (
        "",
        "https://shop.example",
        "a\nb",
        "/pay?user_id=1&cart_id=2",
        "/success_pay_3/",
        "é",
        "/cart?goods_id=",
    )
)
TAILS = st.sampled_from(("", "/", "\n", "#a", "&b=1"))
URLS = st.builds(
    lambda host, form, numbers, tail: host + form.format(*numbers) + tail,
    HOST,
    st.sampled_from(
        ("/cart?goods_id={}&amount={}&cart_id={}", "/pay?user_id={}&cart_id={}", "/success_pay_{}/", "/{}")
    ),
    st.tuples(NUMBER, NUMBER, NUMBER),
    TAILS,
)


@given(st.sets(URLS, max_size=12))
def test_urls_are_parsed_at_once_as_they_are_one_by_one(urls: set[str]) -> None:
    expected = {url: template for url in urls if (template := parse_template(url)) is not None}
    assert parse_templates(urls) == expected
    assert all(template.url == url for url, template in expected.items())


@given(st.sets(URLS, max_size=12), st.randoms())
def test_pages_are_kept_as_their_urls_are_parsed(urls: set[str], random: Random) -> None:
    pages = list(zip(random.sample(range(1, 1000), len(urls)), urls, strict=True))
    parsed = {page_id: template for page_id, url in pages if (template := parse_template(url)) is not None}
    templates = PageTemplates.parse(pages)
    assert templates.ids.tolist() == sorted(parsed)
    rows = [Template(templates.hosts[host], *values) for host, *values in templates.values.tolist()]
    assert rows == [parsed[page_id] for page_id in sorted(parsed)]
