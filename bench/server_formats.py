"""Writes one request as web servers write it in their logs: FORMS has each format by its name."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple


class Request(NamedTuple):
    """A request and its answer; `size` and `referrer` are None for a dash."""

    at: datetime
    address: str
    line: str
    status: int
    size: int | None
    referrer: str | None
    agent: str


def combined(request: Request, *, has_tail: bool = True) -> str:
    line = f'{request.address} - - [{request.at:%d/%b/%Y:%H:%M:%S +0000}] "{request.line}" {request.status} '
    line += "-" if request.size is None else str(request.size)
    return f'{line} "{request.referrer or "-"}" "{request.agent}"' if has_tail else line


def w3c(request: Request) -> str:
    method, _, rest = request.line.partition(" ")
    path, _, query = rest.rpartition(" ")[0].partition("?")
    agent = request.agent.replace(" ", "+")
    return (
        f"{request.at:%Y-%m-%d %H:%M:%S} 10.0.0.1 {method or '-'} {path or '-'} {query or '-'} 443 - "
        f"{request.address} {agent} {request.referrer or '-'} {request.status} 0 0 {request.size or 0}"
    )


def nginx_json(request: Request) -> str:
    method, _, rest = request.line.partition(" ")
    record = {
        "time_iso8601": f"{request.at:%Y-%m-%dT%H:%M:%S}+00:00",
        "remote_addr": request.address,
        "request_method": method,
        "request_uri": rest.rpartition(" ")[0],
        "status": request.status,
        "body_bytes_sent": request.size or 0,
        "http_referer": request.referrer or "",
        "http_user_agent": request.agent,
        "request_time": 0.012,
    }
    return json.dumps(record, ensure_ascii=False)


def caddy_json(request: Request) -> str:
    """Return a line as Caddy writes it, with what it has of the request beside."""
    method, _, rest = request.line.partition(" ")
    headers = {"User-Agent": [request.agent], "Accept": ["*/*"], "Accept-Encoding": ["gzip, deflate, br"]}
    if request.referrer:
        headers["Referer"] = [request.referrer]
    record = {
        "level": "info",
        "ts": request.at.timestamp() + 0.125,
        "logger": "http.log.access",
        "msg": "handled request",
        "request": {
            "remote_ip": request.address,
            "remote_port": "51234",
            "proto": "HTTP/2.0",
            "method": method,
            "host": "shop.example",
            "uri": rest.rpartition(" ")[0],
            "headers": headers,
            "tls": {
                "resumed": False,
                "version": 772,
                "cipher_suite": 4865,
                "proto": "h2",
                "server_name": "shop.example",
            },
        },
        "bytes_read": 0,
        "user_id": "",
        "duration": 0.000929675,
        "size": request.size or 0,
        "status": request.status,
        "resp_headers": {"Server": ["Caddy"], "Content-Type": ["text/html; charset=utf-8"]},
    }
    return json.dumps(record, ensure_ascii=False)


def custom(request: Request) -> str:
    return (
        f"{request.at.timestamp():.3f}|{request.address}|{request.line}|{request.status} {request.size or 0} "
        f"<{request.agent}> rt=0.012"
    )


CUSTOM = "$msec|$remote_addr|$request|$status $body_bytes_sent <$http_user_agent> rt=$request_time"
W3C_HEAD = (
    "#Version: 1.0\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip "
    "cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status sc-bytes\n"
)
FORMS: dict[str, Callable[[Request], str]] = {
    "common": lambda request: combined(request, has_tail=False),
    "combined": combined,
    "vhost_combined": lambda request: f"shop.example:443 {combined(request)}",
    "w3c": w3c,
    "log_format": custom,
    "nginx_json": nginx_json,
    "caddy_json": caddy_json,
}
