"""Lines of all formats but the shop's, good and broken, and their reading in columns."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from hypothesis import strategies as st

from service.logs.chunks import LogFile
from service.logs.detect import restore_format
from service.logs.format_options import FormatOptions
from service.logs.json_layouts import LAYOUT_LIMITS, LayoutLimits
from service.logs.line_columns import LineColumns
from service.logs.standard_columns import StandardParser
from service.logs.standard_format import StandardFormat
from service.logs.url_rules import Rules
from tests.support.log_lines import paths

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GOOD = (
    b'121.165.118.201 - anna [01/Aug/2018:02:01:35 +0200] "GET /fresh_fish/?page=2 HTTP/1.1" 200 2326 '
    b'"https://a.example/" "Mozilla/5.0"'
)
OPTIONS = FormatOptions(UTC)


def make_format(state: str) -> StandardFormat:
    log_format = restore_format(state, OPTIONS)
    assert log_format is not None
    return log_format


def parse(
    log: bytes,
    *,
    state: str = "combined",
    rules: Rules | None = None,
    chunk_bytes: int = 1 << 20,
    limits: LayoutLimits = LAYOUT_LIMITS,
) -> list[LineColumns]:
    parser = StandardParser(make_format(state), rules, limits=limits)
    file = LogFile(io.BytesIO(log), accept_partial_line=True, chunk_bytes=chunk_bytes)
    return [parser.parse(chunk, now=NOW) for chunk in file.chunks()]


class Fields(NamedTuple):
    """What a line is made of."""

    address: str
    user: str
    second: int
    zone: str
    method: str
    url: str
    protocol: str
    status: str
    size: str
    referrer: str
    agent: str
    more: str


fields = st.builds(
    Fields,
    address=st.sampled_from(
        ("8.8.8.8", "2001:DB8::1", "::ffff:8.8.4.4", "10.0.0.1, 8.8.8.8", "8.8.8.8:80", "[2001:db8::1]:443")
    ),
    user=st.sampled_from(("-", "-", "anna", "an na", "a [b] c", "x] \\x22y", "a [01/Aug/", "a [2018-08-0")),
    second=st.integers(0, 23),
    zone=st.sampled_from(("+0000", "+0000", "-0530", "+1400")),
    method=st.sampled_from(("GET", "GET", "GET", "POST", "HEAD", "")),
    url=paths | st.sampled_from(("/shop/a/b/", "http://x.example/a", f"/{'long' * 100}/", "*", "/\\xD1%d1")),
    protocol=st.sampled_from((" HTTP/1.1", " HTTP/1.1", " HTTP/2.0", "", " ")),
    status=st.sampled_from(("200", "200", "304", "404", "-")),
    size=st.sampled_from(("-", "0", "7", "1234567", "00012345678", "9" * 20)),
    referrer=st.sampled_from(("-", "https://a.example/", "é", "long" * 100, "")),
    agent=st.sampled_from(("-", "curl/8", 'Mozilla \\"5\\"', "", "agent" * 100, "a\\")),
    more=st.sampled_from(("", "", " 0.1", ' "-" rt=0.1', "8.8.8.8", f" {GOOD.decode()}")),
)


def combined(parts: Fields, more: int = 0) -> str:
    day, clock = f"0{parts.second % 3 + 1}", f"{parts.second:02}:01:{parts.second:02}"
    odd_stamps = {
        20: f"{day}/Aug/2018 {clock}",
        21: f"2018-08-{day} {clock}",
        22: f"{day}/Aug/2018:{clock}",
        23: f"{day}/Aug/2018:{clock} UTC",
    }
    stamp = odd_stamps.get(parts.second, f"{day}/Aug/2018:{clock} {parts.zone}")
    request = f"{parts.method} {parts.url}{parts.protocol}"
    line = f'{parts.address} - {parts.user} [{stamp}] "{request}" {parts.status} {parts.size}'
    tail = f' "{parts.referrer}" "{parts.agent}"' if (parts.second + more) % 3 else ""
    return f"{line}{tail}{parts.more}"


def custom(parts: Fields) -> str:
    request = f"{parts.method} {parts.url}{parts.protocol}"
    servers = "10.0.0.1:80" if parts.second % 2 else "10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80"
    return (
        f"{1533000000 + parts.second}.{parts.second:03}|{parts.address}|{parts.user} x|{request}|"
        f"{parts.status} {parts.size} <{parts.agent}> {servers} {parts.more}"
    )


def iso(parts: Fields) -> str:
    time = f"2018-08-0{parts.second % 3 + 1}T{parts.second:02}:01:35{parts.zone[:3]}:{parts.zone[3:]}"
    return (
        f'[{time}] {parts.method} {parts.url} "{parts.address}" "{parts.agent}" s={parts.status} '
        f'"{parts.user}"{parts.more}'
    )


def w3c(parts: Fields) -> str:
    path, _, query = parts.url.partition("?")
    day = f"2018-08-0{parts.second % 3 + 1}"
    line = f"{day} {parts.second:02}:01:35 {parts.method or '-'} {path} {query or '-'} {parts.user} "
    line += f"{parts.address.replace(' ', '+')} {parts.agent.replace(' ', '+')} {parts.referrer or '-'} "
    return line + f"{parts.status} {parts.size}"


def as_json(parts: Fields) -> str:
    record = {
        "time_local": f"0{parts.second % 3 + 1}/Aug/2018:{parts.second:02}:01:35 {parts.zone}",
        "remote_addr": parts.address,
        "request": f"{parts.method} {parts.url}{parts.protocol}",
        "status": parts.status if parts.second % 2 else 200,
        "size": parts.size,
        "http_referer": parts.referrer,
        "http_user_agent": [parts.agent] if parts.second % 3 else None,
        "more": {"request_method": parts.more},
    }
    return json.dumps(record, ensure_ascii=bool(parts.second % 2))


def as_caddy(parts: Fields) -> str:
    """Write a line whose fields stand in objects; some are missing, or something else than usual."""
    odd: dict[int, object] = {0: True, 1: 1.5, 2: [], 3: None, 4: {"a": 1}, 5: [7], 6: [["x"]], 7: -0.0, 8: 0}
    agent = odd.get(parts.second) if parts.more else [parts.agent]
    request: dict[str, object] = {
        "remote_ip": parts.address,
        "method": parts.method,
        "uri": parts.url,
        "headers": {"User-Agent": agent, "Referer": [parts.referrer, "other"], "Accept": ["\0"]},
    }
    if parts.second == 20:
        request["client_ip"] = "8.8.4.4"
    at = 1533081600.125 + parts.second / 8
    record: dict[str, object] = {
        "ts": int(at) * 1000 if parts.zone == "+1400" else at,
        "request": request if parts.user != "anna" else parts.url,
        "status": 200 + parts.second if parts.protocol else odd.get(parts.second, parts.status),
        "size": odd.get(parts.second) if parts.more else parts.second,
        "resp_headers": {"x": [1e300, parts.user]},
    }
    if parts.protocol == " ":
        del record["status"]
    if parts.second == 21:
        record["remote_addr"] = parts.address
    return json.dumps(record, ensure_ascii=bool(parts.second % 2)).replace("1e+300", "1e999")


def as_nginx(parts: Fields) -> str:
    """Write a line as a log_format does: always the same fields, and what is not JSON here and there."""
    time = f"2018-08-0{parts.second % 3 + 1}T{parts.second:02}:01:35{parts.zone[:3]}:{parts.zone[3:]}"
    return (
        f'{{"a": {{"b": [1, "{parts.user}"]}}, "time": "{time}", "took": {parts.second}.{parts.size}, '
        f'"remote_addr": "{parts.address}", "request": "{parts.method} {parts.url}{parts.protocol}", '
        f'"status": {parts.status}, "size": {parts.size}, "user_agent": "{parts.agent}", '
        f'"referer": "{parts.referrer}", "cached": false{parts.more[:1]}}}'
    )


def as_traefik(parts: Fields) -> str:
    """Write a line whose URL stands apart, and whose status is a text, or a null now and then."""
    status = "null" if parts.user == "anna" else f'"{parts.status}"'
    return (
        f'{{"ClientHost":"{parts.address}","DownstreamContentSize":"{parts.size}","DownstreamStatus":{status},'
        f'"RequestMethod":"{parts.method}","RequestPath":"{parts.url}","x":{parts.size},'
        f'"StartUTC":{1533000000 + parts.second}.{parts.second:03},"request_User-Agent":["{parts.agent}"]}}'
    )


W3C = (
    "date time cs-method cs-uri-stem cs-uri-query cs-username c-ip cs(User-Agent) cs(Referer) "
    "sc-status sc-bytes"
)
COLUMN_CASES: dict[str, Callable[[Fields], str]] = {
    "combined": combined,
    "vhost_combined": lambda parts: f"shop.example:443 {combined(parts)}",
    "$msec|$remote_addr|$remote_user x|$request|$status $bytes_sent <$http_user_agent> "
    "$upstream_addr $x": custom,
    '[$time_iso8601] $request_method $request_uri "$http_x_forwarded_for" "$http_user_agent" s=$status '
    '"$remote_user"': iso,
    f"w3c {W3C}": w3c,
}
CASES = COLUMN_CASES | {"json": as_json}
extras = st.binary(max_size=2) | st.sampled_from(
    (b" ", b'"', b"\\", b"9", b"-", b"[", b"]", b"\r", b"|", b",", b"\t", b"\0", b"#", b"\n#Fields: x")
)


@st.composite
def logs(draw: st.DrawFn, write: Callable[[Fields], str]) -> bytes:
    """Draw lines, in some of which some bytes are others, missing, or more."""
    lines = []
    for parts in draw(st.lists(fields, max_size=20)):
        raw = write(parts).encode()
        for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
            at = draw(st.integers(0, len(raw)))
            more = draw(extras)
            raw = raw[:at] + more + raw[at + draw(st.integers(0, 2)) :]
        lines.append(raw)
        if draw(st.integers(0, 9)) == 0:
            lines.append(draw(st.binary(max_size=40) | st.sampled_from((b"\0" * 50, b"\xef\xbb\xbf"))))
    return b"\n".join(lines)
