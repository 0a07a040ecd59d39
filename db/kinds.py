"""Kinds of pages and methods of requests, and the codes that stand for them in parts and in `page`."""

KINDS = ("main", "category", "product", "cart", "pay", "success", "asset", "other")
KIND_CODES = dict(zip(KINDS, "mcptysao", strict=True))
KIND_NAMES = {code: kind for kind, code in KIND_CODES.items()}

# Those that a standard names, and PURGE. Another has no code: its visits say no method. `method_name` in SQL
# knows the same.
METHOD_CODES = {
    "GET": "g",
    "POST": "p",
    "HEAD": "h",
    "PUT": "u",
    "DELETE": "d",
    "PATCH": "a",
    "OPTIONS": "o",
    "CONNECT": "c",
    "TRACE": "t",
    "PROPFIND": "f",
    "PROPPATCH": "e",
    "MKCOL": "m",
    "COPY": "y",
    "MOVE": "v",
    "LOCK": "l",
    "UNLOCK": "k",
    "REPORT": "r",
    "SEARCH": "s",
    "PURGE": "x",
}
METHOD_NAMES = {code: method for method, code in METHOD_CODES.items()}
