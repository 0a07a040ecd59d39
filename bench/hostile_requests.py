"""Makes hostile requests for the operations of the OpenAPI document: HTTP in form, anything in content."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote

from bench.hostile_bodies import make_body
from bench.hostile_values import Json, Values
from transport.routing import PREFIX

METHODS = ("get", "post", "put", "patch", "delete")
ODD_METHODS = ("HEAD", "OPTIONS", "TRACE", "PROPFIND", "PATCH", "PUT", "DELETE", "get", "X" * 50, "M-SEARCH")
CALLERS = ("nobody", "forged", "user", "user", "user", "admin", "admin", "key")
TOKEN = b"{{token}}"  # stands in a request until it is sent, so that a seed makes the same bytes
FORGED = (
    "Bearer",
    "Bearer a b",
    "Basic cm9vdDpyb290",
    "x",
    "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIiwianRpIjoiYSIsImlhdCI6MSwiZXhwIjo5OTk5OTk5OTk5fQ.",
    "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.AAAA",
    "Bearer eyJhbGciOiJIUzI1NiIsImtpZCI6Ii4uLy4uL2Rldi9udWxsIn0.W10.AAAA",
    "Bearer ....",
    "Bearer é\xff",
    "Bearer " + "A" * 5000,
    "trawl_" + "0" * 64,
)
# Each success ends an account or its tokens, or hashes a password, which takes 0.3 s of CPU.
RARE = {
    ("delete", "/profile"): 0.05,
    ("delete", "/user/{user_id}"): 0.2,
    ("patch", "/profile"): 0.3,
    ("post", "/logout"): 0.2,
    ("post", "/user"): 0.2,
    ("post", "/register"): 0.2,
    ("post", "/login"): 0.2,
    ("post", "/user/auth"): 0.1,
    ("post", "/auth/login"): 0.1,
    ("get", "/live"): 0.1,
    ("get", "/parse"): 0.3,
    ("post", "/parse"): 0.3,
}
HEADERS = (
    *("X-Request-ID", "If-None-Match", "If-Match", "Accept", "Accept-Encoding", "Range", "Origin", "Cookie"),
    *("X-Forwarded-For", "Forwarded", "User-Agent", "Referer", "Accept-Language", "X-HTTP-Method-Override"),
)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the document."""

    method: str  # in lower case
    path: str
    description: Json

    @property
    def is_private(self) -> bool:
        return bool(self.description["security"])

    @property
    def is_for_admins(self) -> bool:
        return "For admins, " in self.description["description"]

    @property
    def weight(self) -> float:
        return RARE.get((self.method, self.path.removeprefix(PREFIX)), 1.0)


@dataclass(frozen=True, slots=True)
class HostileRequest:
    """A request as bytes, and what is known of it.

    :param operation: None where the path or the method is none of the document
    :param is_http: False if it breaks the rules of HTTP, so that any refusal will do
    :param end: the client leaves after the last byte
    """

    index: int
    operation: Operation | None
    caller: str
    method: str
    target: str
    data: bytes = field(repr=False)
    is_http: bool = True
    end: bool = False


@dataclass(slots=True)
class Known:
    """What exists on the server: values of path parameters, cursors, and the admin's own number."""

    parameters: dict[str, list[str]]
    cursors: list[str]
    admin_id: int


@dataclass(slots=True)
class Parts:
    """A request before it is bytes."""

    operation: Operation | None
    caller: str
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    is_http: bool = True
    end: bool = False


def operations_of(document: Json) -> list[Operation]:
    return [
        Operation(method, path, description)
        for path, methods in document["paths"].items()
        for method, description in methods.items()
        if method in METHODS
    ]


class Requests:
    """Makes the requests of a seed: the same number has the same request."""

    def __init__(self, document: Json, known: Known, seed: str) -> None:
        self._operations = operations_of(document)
        self._weights = [each.weight for each in self._operations]
        self._components = document["components"]["schemas"]
        self._known = known
        self._seed = seed

    def parts(self, index: int) -> tuple[Parts, Random]:
        """Make a request that is HTTP in form. The random goes on to whoever breaks it."""
        random = Random(f"{self._seed}:{index}")
        values = Values(random, self._components)
        operation = random.choices(self._operations, self._weights)[0]
        caller = random.choice(CALLERS)
        path, is_known = self._path(operation, values, caller)
        method = operation.method.upper()
        if random.random() < 0.04:
            method, is_known = random.choice(ODD_METHODS), False
        if operation.method == "get" and method == "GET" and random.random() < 0.05:
            method = "HEAD"
        query = self._query(operation, values)
        content_headers, body = make_body(operation.description, values)
        if caller == "admin" and path.endswith("/profile") and method in ("PATCH", "DELETE"):
            caller = "user"  # the admin must stay, with its password
        headers = [("Host", "127.0.0.1"), *token_headers(caller, random), *content_headers]
        headers += odd_headers(values, random)
        if random.random() < 0.3:
            path = path.removeprefix(PREFIX) or "/"
        target = f"{path}?{query}" if query else path
        return Parts(operation if is_known else None, caller, method, target, headers, body), random

    def _path(self, operation: Operation, values: Values, caller: str) -> tuple[str, bool]:
        """Fill the parameters in. A hostile one may make it another path, or none."""
        path, is_known = operation.path, True
        for name in [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]:
            value, is_fitting = self._parameter(name, values)
            if caller == "admin" and value == str(self._known.admin_id):
                value = "7777777"  # or the only admin ends itself
            path = path.replace(f"{{{name}}}", quote(value.encode(errors="surrogatepass"), safe=""))
            is_known = is_known and is_fitting
        return path, is_known

    def _parameter(self, name: str, values: Values) -> tuple[str, bool]:
        random = values.random
        existing = self._known.parameters.get(name, [])
        if existing and random.random() < 0.7:
            return random.choice(existing), True
        if random.random() < 0.3:
            return str(random.choice((10**6, 2**63 - 1, 2**63, 2**64, 10**40))), True
        return values.hostile_text(), False

    def _query(self, operation: Operation, values: Values) -> str:
        random = values.random
        pairs = [
            self._query_pair(parameter, values)
            for parameter in operation.description["parameters"]
            if parameter["in"] == "query" and random.random() < 0.3
        ]
        choice = random.random()
        if choice < 0.03 and pairs:
            pairs.append(random.choice(pairs))
        elif choice < 0.06:
            pairs.append((values.hostile_text()[:200], values.hostile_text()))
        query = "&".join(f"{escape(name)}={escape(value)}" for name, value in pairs)
        if 0.06 < choice < 0.1:
            query += random.choice(
                ("&%zz", "&a=%ff", "&&&===", ";", "&limit", "?a", "&" * 2000, "&a=1" * 2000)
            )
        return query

    def _query_pair(self, parameter: Json, values: Values) -> tuple[str, str]:
        random = values.random
        name = parameter["name"].replace("*", random.choice(("a", "a.b", "", "é", "$", "'", "0")))
        if name == "wait":  # a long one is not a fault
            return name, random.choice(("0", "1", "-1", "0.5", "x", "NaN"))
        if name == "cursor" and self._known.cursors:
            cursor = random.choice(self._known.cursors)
            return name, cursor if random.random() < 0.4 else values.broken_cursor(cursor)
        if random.random() < 0.7:
            value = values.fitting(parameter["schema"], name)
            return name, value if isinstance(value, str) else str(value).lower()
        return name, values.hostile_text()


def escape(text: str) -> str:
    return quote(text.encode(errors="surrogatepass"), safe="-_.~:,/")


def token_headers(caller: str, random: Random) -> list[tuple[str, str]]:
    match caller:
        case "nobody":
            return []
        case "forged":
            forged = random.choice(FORGED)
            return [("Authorization", forged)] * random.choice((1, 1, 1, 2))
    return [("Authorization", random.choice(("Bearer ", "", "bearer  ")) + TOKEN.decode())]


def odd_headers(values: Values, random: Random) -> list[tuple[str, str]]:
    names = random.sample(HEADERS, random.choice((0, 0, 0, 1, 2)))
    headers = [(name, header_text(values.hostile_text())) for name in names]
    return headers + ([("x-" + "a" * random.randint(1, 2000), "1")] if random.random() < 0.01 else [])


def header_text(text: str) -> str:
    """Return what a header's value may hold: HTTP allows bytes above ASCII, but no control characters."""
    return "".join(
        char if char == "\t" or 32 <= ord(char) < 127 or 127 < ord(char) < 256 else "?" for char in text
    )


def to_bytes(parts: Parts) -> bytes:
    head = [f"{parts.method} {parts.target} HTTP/1.1", *(f"{name}: {value}" for name, value in parts.headers)]
    return ("\r\n".join(head) + "\r\nConnection: close\r\n\r\n").encode("latin-1") + parts.body


def with_token(data: bytes, tokens: Mapping[str, str], caller: str) -> bytes:
    return data.replace(TOKEN, tokens.get(caller, "none").encode())
