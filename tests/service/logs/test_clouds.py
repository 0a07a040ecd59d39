"""Lines as clouds and content networks document them."""

import io
from datetime import UTC
from pathlib import Path

import pytest

from service.logs.chunks import LogFile
from service.logs.format_options import FormatOptions
from service.logs.line_columns import LineColumns
from service.logs.log_parser import LogParser
from service.logs.url_rules import read_rules
from tests.support.log_imports import NOW

CLOUDFRONT_FIELDS = (
    "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) "
    "cs(User-Agent) cs-uri-query\n"
)
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/78.0"
LOAD_BALANCER = (
    "$type $time_iso8601 $elb $remote_addr $target $a $b $c $status $target_status $received $bytes_sent "
    '"$request" "$http_user_agent" $rest'
)
BALANCED = (
    "h2 2018-07-02T22:23:00.186641Z app/shop/50dc6c495c0c9188 203.0.113.9:2817 10.0.0.1:80 0.000 0.001 "
    '0.000 200 200 34 366 "GET https://shop.example:443/fish/ HTTP/2.0" "curl/7.46.0" - - arn:aws:x "Root=1" '
    '"-" "-" 0 2018-07-02T22:22:48.364000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-"'
)


def parse(log: str, *, declared: str | None = None, rules: Path | None = None) -> LineColumns:
    [chunk] = LogFile(io.BytesIO(log.encode())).chunks()
    read = None if rules is None else read_rules(rules)
    columns = LogParser(FormatOptions(UTC, rules=read, declared=declared)).parse(chunk, now=NOW)
    assert columns is not None
    return columns


def cloudfront(agent: str, referrer: str = "-") -> str:
    fields = ("2019-12-04", "21:02:31", "LAX1", "392", "203.0.113.9", "GET", "d1.cloudfront.net", "/fish/")
    return "\t".join((*fields, "200", referrer, agent, "x=1&y=2")) + "\n"


@pytest.mark.parametrize("code", ["%20", "%2520"])
def test_agents_of_cloudfront_are_decoded(code: str) -> None:
    encoded = CHROME.replace(" ", code)
    columns = parse(CLOUDFRONT_FIELDS + cloudfront(encoded) + cloudfront(f"{encoded}/%D1%8F"))
    assert columns.agents == [CHROME, f"{CHROME}/я"]
    assert (columns.page_url(0), columns.rejects) == ("/fish/?x=1&y=2", [])


def test_agents_of_iis_have_a_plus_for_a_space() -> None:
    columns = parse(CLOUDFRONT_FIELDS + cloudfront(CHROME.replace(" ", "+")))
    assert columns.agents == [CHROME]


def test_a_plus_and_an_encoded_space_in_a_referrer_stay() -> None:
    referrers = ["https://search.example/?q=red+fish", "https://search.example/?q=red%20fish"]
    columns = parse(CLOUDFRONT_FIELDS + "".join(cloudfront("a", referrer) for referrer in referrers))
    assert columns.referrers == referrers


def test_another_time_in_the_last_field_of_a_load_balancer_is_no_other_request() -> None:
    columns = parse(f"{BALANCED}\n", declared=LOAD_BALANCER)
    assert (columns.rejects, columns.addresses) == ([], ["203.0.113.9"])
    assert columns.page_url(0) == "https://shop.example/fish/"


def test_another_request_in_that_field_still_is() -> None:
    for cut in (BALANCED, BALANCED[:-40], f"{BALANCED} "):
        columns = parse(f"{cut}{BALANCED}\n{BALANCED}\n", declared=LOAD_BALANCER)
        assert [reject.reason for reject in columns.rejects] == ["custom: two requests stand on one line"]


@pytest.mark.parametrize(
    ("line", "fields", "url"),
    [
        (
            '{"ClientIP":"203.0.113.9","ClientRequestURI":"/fish/?x=1","EdgeStartTimestamp":1506702504433000200}',
            {"time": "EdgeStartTimestamp", "address": "ClientIP", "url": "ClientRequestURI"},
            "/fish/?x=1",
        ),
        (
            (
                '{"timestamp":"2023-01-15T10:00:00.1Z","httpRequest":{"remoteIp":"203.0.113.9",'
                '"requestUrl":"https://shop.example/fish/?a=1"}}'
            ),
            {"address": "httpRequest.remoteIp", "url": "httpRequest.requestUrl"},
            "https://shop.example/fish/?a=1",
        ),
        (
            (
                '{"time":"2017-04-26T19:27:38Z","properties":{"clientIP":"203.0.113.9","requestUri":"/cart",'
                '"requestQuery":"goods_id=1&amount=2&cart_id=3"}}'
            ),
            {
                "address": "properties.clientIP",
                "url": "properties.requestUri",
                "query": "properties.requestQuery",
            },
            "/cart?goods_id=1&amount=2&cart_id=3",
        ),
        (
            (
                '{"time":"2017-04-26T19:27:38Z","remoteIP":"203.0.113.9","request":"/cart",'
                '"query":"?goods_id=1&amount=2&cart_id=3"}'
            ),  # Apache's %U and %q
            {"address": "remoteIP", "query": "query"},
            "/cart?goods_id=1&amount=2&cart_id=3",
        ),
        (
            '{"time":"2017-04-26T19:27:38Z","remoteIP":"203.0.113.9","request":"/fish/?a","query":"?a"}',
            {"address": "remoteIP", "query": "query"},
            "/fish/?a",
        ),
    ],
)
@pytest.mark.parametrize("count", [1, 200])  # so many are read in columns
def test_json_of_clouds_is_read_by_rules(
    line: str, fields: dict[str, str], url: str, count: int, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("[fields]\n" + "".join(f'{name} = "{path}"\n' for name, path in fields.items()))
    columns = parse(f"{line}\n" * count, rules=rules)
    assert (len(columns), columns.rejects, columns.addresses) == (count, [], ["203.0.113.9"])
    assert {columns.page_url(row) for row in range(count)} == {url}


def test_an_empty_query_beside_a_path_is_none(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[fields]\nquery = "q"\n')
    line = '{"time":"2017-04-26T19:27:38Z","ip":"203.0.113.9","path":"/fish/","q":%s}\n'
    columns = parse("".join(line % query for query in ('""', '"-"', "null", "{}")), rules=rules)
    assert [columns.page_url(row) for row in range(4)] == ["/fish/"] * 4
