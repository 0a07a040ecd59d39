"""Rules for URLs: what they make of paths, what is refused, and that no pattern and no URL hangs a worker."""

import subprocess
import sys
from datetime import UTC
from io import BytesIO
from pathlib import Path
from textwrap import dedent

import pytest

from service.logs.chunks import LogFile
from service.logs.combined_format import COMBINED
from service.logs.format_options import FormatOptions
from service.logs.log_parser import LogParser
from service.logs.shop_format import BadLine, Page
from service.logs.url_rules import Rules, RulesError, read_rules
from service.visits.pages import parse_page
from tests.support.log_imports import NOW

RULES = r"""
[[page]]
kind = "product"
path = "/shop/(?P<category>[^/]+)/(?P<product>[^/]+)"

[[page]]
kind = "category"
path = "/list"
category = "of"

[[page]]
kind = "cart"
path = "/basket/add"
goods_id = "item"
amount = 1
cart_id = "basket"

[[page]]
kind = "success"
path = "/thanks(?:-dear)?/(?P<cart_id>[0-9]+)"
"""
CPU_SECONDS = 5  # a pattern that backtracks takes 2 ** 2000 steps, whatever the machine

# An import's line and a live visit, each with a URL that is made for the pattern.
CLASSIFY = dedent("""
    import resource, sys
    from datetime import UTC, datetime
    from pathlib import Path
    from service.logs.combined_format import COMBINED
    from service.logs.url_rules import read_rules
    from service.visits.pages import parse_page

    rules = read_rules(Path(sys.argv[1]))
    path = "/" + "a" * 2000 + "!"
    line = f'8.8.8.8 - - [01/Aug/2018:00:00:00 +0000] "GET {path} HTTP/1.1" 200 12'.encode()
    limit = resource.getrusage(resource.RUSAGE_SELF).ru_utime + int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 1))
    for number in range(100):
        tail = str(number).encode()
        page = COMBINED.parse(line.replace(b"!", b"!" + tail), rules, datetime.now(UTC)).page
        assert page == parse_page(f"{path}{number}", rules)
    print(page.kind)
""")


def write_rules(folder: Path, text: str) -> Path:
    path = folder / "rules.toml"
    path.write_text(text)
    return path


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    return read_rules(write_rules(tmp_path, RULES))


def line_page(url: str, rules: Rules) -> Page:
    raw = f'8.8.8.8 - - [01/Aug/2018:00:00:00 +0000] "GET {url} HTTP/1.1" 200 12'
    return COMBINED.parse(raw.encode(), rules, NOW).page


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/shop/fish/salmon", Page("product", "fish", "salmon")),
        ("/shop/fish/salmon/?x=1", Page("product", "fish", "salmon")),
        ("/shop/рыба/лосось", Page("product", "рыба", "лосось")),
        ("/list?of=red+fish", Page("category", "red fish")),
        ("/list", Page("other")),
        ("/list?of=", Page("other")),
        ("/list?of=a%00b", Page("other")),  # PostgreSQL's text holds no NUL
        ("/basket/add?item=5&basket=7", Page("cart", goods_id=5, amount=1, cart_id=7)),
        ("/thanks/7", Page("success", cart_id=7)),
        ("/thanks-dear/7", Page("success", cart_id=7)),
        ("/before/thanks/7", Page("other")),
        ("/fresh_fish/", Page("other")),
        ("/", Page("other")),
    ],
)
def test_rules_classify_urls_of_lines_and_of_live_visits(rules: Rules, path: str, page: Page) -> None:
    assert line_page(path, rules) == page
    assert parse_page(path, rules) == page
    assert parse_page(f"https://shop.example{path}#top", rules) == page


def test_wrong_numbers_make_a_line_a_reject_and_a_live_visit_other(rules: Rules) -> None:
    with pytest.raises(BadLine, match="goods_id is not a whole number"):
        line_page("/basket/add?item=x&basket=7", rules)
    assert parse_page("/basket/add?item=x&basket=7", rules) == Page("other")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "not TOML"),
        ("", r"\[\[page\]\]"),
        ("other = 1\n[[page]]\nkind = 'main'\npath = '/'", r"\[\[page\]\]"),
        ("[[page]]\nkind = 'shop'\npath = '/'", "page 1: kind must be one of"),
        ("[[page]]\nkind = 'main'", "page 1: path must be a regular expression"),
        ("[[page]]\nkind = 'main'\npath = 1", "page 1: path must be a regular expression"),
        (
            "[[page]]\nkind = 'main'\npath = '('",
            r"page 1: path '\(' is not a regular expression of RE2: missing",
        ),
        ("[[page]]\nkind = 'pay'\npath = '/'\ngoods_id = 'x'", "a pay page has no goods_id"),
        ("[[page]]\nkind = 'category'\npath = '/(?P<categry>.+)'", "page 1: a category page has no categry"),
        ("fields = 1", "fields must be a table of time, address"),
        ("[fields]\ntime = 'ts'\nip = 'x'", "there is no ip"),
        ("[fields]\ntime = 1\nurl = ''", "fields: time, url must be a path such as request.remote_ip"),
        ("[[page]]\nkind = 'pay'\npath = '/'\nuser_id = true", "user_id must be the name of a parameter"),
        ("[[page]]\nkind = 'cart'\npath = '/'\namount = 0", "page 1: amount is not a whole number from 1"),
    ],
)
def test_wrong_rules_are_explained_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RulesError, match=message) as raised:
        read_rules(write_rules(tmp_path, text))
    assert "\n" not in str(raised.value)


def test_a_byte_order_mark_of_an_editor_is_skipped(tmp_path: Path) -> None:
    assert read_rules(write_rules(tmp_path, "\ufeff[fields]\ntime = 'ts'")).fields == {"time": "ts"}


@pytest.mark.parametrize(
    "pattern",
    [
        r"/(?P<a>x)(?P=a)",
        r"/(x)\1",
        r"/x(?=y)",
        r"/x(?!y)",
        r"/(?<=x)y",
        r"/(?<!x)y",
        r"/(x)?(?(1)y|z)",
        r"/(?>x*)",
        r"/x{2000}",
        "/(x\n",
    ],
)
def test_a_pattern_that_linear_time_does_not_allow_is_refused_by_name(tmp_path: Path, pattern: str) -> None:
    path = write_rules(
        tmp_path, f"[[page]]\nkind = 'main'\npath = '/'\n[[page]]\nkind = 'other'\npath = '''{pattern}'''"
    )
    with pytest.raises(RulesError) as raised:
        read_rules(path)
    assert str(raised.value).startswith(
        f"{path}: page 2: path {pattern!r} is not a regular expression of RE2: "
    )
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("pattern", ["/(a+)+$", "/(a|aa)+", "/(a*)*(a*)*(a*)*b", "/(?P<category>(a|a)*)c"])
def test_no_pattern_and_no_url_hang_an_import_or_a_live_visit(tmp_path: Path, pattern: str) -> None:
    """The processor time of a process of its own is bounded, not the time that it waits for a processor."""
    path = write_rules(tmp_path, f"[[page]]\nkind = 'category'\npath = '{pattern}'\ncategory = 'x'")
    script = [sys.executable, "-c", CLASSIFY, str(path), str(CPU_SECONDS)]
    process = subprocess.run(script, capture_output=True, text=True, check=False)
    assert (process.returncode, process.stdout) == (0, "other\n"), process.stderr


def test_a_bound_ends_what_backtracks() -> None:
    """So that the test above can fail; a smaller bound, for it is always reached."""
    script = dedent("""
        import re, resource
        resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
        re.fullmatch("/(a+)+$", "/" + "a" * 2000 + "!")
    """)
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert process.returncode < 0


def test_fields_of_json_lines_are_named_beside_pages_or_alone(tmp_path: Path) -> None:
    fields = "[fields]\ntime = 'at'\naddress = 'client.ip'\n"
    rules = read_rules(write_rules(tmp_path, RULES + fields))
    assert rules.fields == {"time": "at", "address": "client.ip"}
    assert line_page("/list?of=fish", rules) == Page("category", "fish")
    alone = read_rules(write_rules(tmp_path, fields))
    assert line_page("/fish/", alone) == line_page("/fish/", Rules(())) == Page("category", "fish")
    options = FormatOptions(UTC, alone)
    raw = b'{"at": 1764324120, "client": {"ip": "8.8.8.8"}, "request": "GET / HTTP/1.1"}'
    [columns] = [LogParser(options).parse(chunk, now=NOW) for chunk in LogFile(BytesIO(raw + b"\n")).chunks()]
    assert columns is not None
    assert (columns.addresses, columns.pages[0].kind) == (["8.8.8.8"], "main")
