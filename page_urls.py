r"""The normal form of pages' URLs: the same page is the same text, whatever way it came in.

It is that of RFC 3986 (6.2.2 and 6.2.3), with letters where an IRI (RFC 3987) has them:

    https://Shop.example:443/a/../%d1%8f/%7e%2f?q=%22   what came in
    https://shop.example/я/~%2F?q=%22                   its normal form

- `\xHH`, `\"` and `\\` of nginx's and Apache's logs are the bytes that they stand for.
- Percent-encoded letters, digits, `-`, `.`, `_` and `~` are decoded, and so are the letters of other scripts.
- What is reserved (`%2F`), no letter (a space, `"`, a control character, what is invisible) or no UTF-8 stays
  encoded, or becomes so, in upper-case hex digits; so does a `%` that encodes nothing.
- `.` and `..` are resolved. Scheme and host are in lower case, the port is left out where it is the scheme's,
  and the path of a URL without one is `/`.

Pure: every layer may import it. The normal form of a normal form is itself.
"""

import re
from functools import lru_cache
from itertools import product
from urllib.parse import unquote_to_bytes

# What most pages are written like, unless a dot behind a slash begins a segment to resolve.
PLAIN = re.compile(r"(?:https?://[a-z0-9._-]+)?/[A-Za-z0-9._~!$&'()*+,;=:@/?#\[\]-]*")
ORIGIN = re.compile(r"(https?)://([^/?#]*)", re.IGNORECASE)
PATH = re.compile(r"/[^?#]*")

LOG_ESCAPE = re.compile(rb'\\(?:x([0-9A-Fa-f]{2})|(["\\]))')
# Apache writes \t, and nginx by escape=json \u0001 too; neither takes a URL with a control character.
TEXT_ESCAPE = re.compile(rb'\\(?:(?:x|u00)([0-9A-Fa-f]{2})|(["\\])|([bfnrtv]))')
CONTROLS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
LAST_ASCII = 0x7F
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
HEX_DIGITS = b"0123456789ABCDEFabcdef"
NOT_PLAIN = re.compile(rb"%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=\x80-\xff]")
ESCAPED_BYTES = {0xDC00 + byte: f"%{byte:02X}" for byte in range(0x80, 0x100)}  # of surrogateescape
# Characters beyond ASCII that RFC 3987 does not allow in an IRI, white space, and what is invisible.
NO_LETTER = re.compile(
    "[\x80-\xa0\xad\u061c\u1680\u180e\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u206f\u3000"
    "\ue000-\uf8ff\ufdd0-\ufdef\ufeff\ufff0-\uffff"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0xE0000, 0x10000))
    + "\U000e0000-\U0010ffff]"
)
HOST_PART = re.compile(r"(%[0-9A-F]{2})|[A-Z]+")
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def is_plain(url: str) -> bool:
    """Return whether a URL, or a path with its query, is surely in its normal form, as most are."""
    return "/." not in url and PLAIN.fullmatch(url) is not None


def normal_url(url: str) -> str:
    """Return the normal form of a URL, or of a path with its query."""
    if is_plain(url):
        return url
    text = normal_escapes(url)
    begin, rest = "", text
    if origin := ORIGIN.match(text):
        scheme = origin[1].lower()
        begin, rest = f"{scheme}://{normal_authority(origin[2], scheme)}", text[origin.end() :]
        if not rest.startswith("/"):
            rest = f"/{rest}"
    if path := PATH.match(rest):
        rest = resolve_dots(path[0]) + rest[path.end() :]
    return begin + rest


def normal_escapes(text: str) -> str:
    """Return the text with each character as it is in a normal form."""
    data = text.encode(errors="surrogatepass")
    return letters_of(NOT_PLAIN.sub(lambda match: NORMAL_BYTES[match[0]], without_log_escapes(data)))


def without_log_escapes(data: bytes) -> bytes:
    """Return what nginx or Apache has escaped so in a log."""
    if b"\\" not in data:
        return data
    return LOG_ESCAPE.sub(lambda escape: escape[2] or bytes.fromhex(escape[1].decode()), data)


def text_of_log(text: str) -> str:
    """Return a referrer, or another text of a log, as the client sent it."""
    if "\\" not in text:
        return text
    return TEXT_ESCAPE.sub(text_of_escape, text.encode()).decode(errors="replace")


def text_of_escape(escape: re.Match[bytes]) -> bytes:
    return escape[2] or CONTROLS.get(escape[3]) or bytes.fromhex(escape[1].decode())


def normal_byte(escape: bytes) -> bytes:
    """Return what stands for an encoded byte."""
    byte = int(escape[1:], 16)
    return bytes([byte]) if byte in UNRESERVED or byte > LAST_ASCII else escape.upper()


# What stands for an encoded byte, and for one that has to be encoded.
NORMAL_BYTES = {bytes([byte]): b"%%%02X" % byte for byte in range(LAST_ASCII + 1)} | {
    escape: normal_byte(escape) for escape in (b"%" + bytes(pair) for pair in product(HEX_DIGITS, repeat=2))
}


def letters_of(data: bytes) -> str:
    """Return bytes as text, in which those that are not letters of UTF-8 are encoded."""
    text = data.decode(errors="surrogateescape")
    if text.isascii():
        return text
    return NO_LETTER.sub(lambda match: encode(match[0]), text.translate(ESCAPED_BYTES))


@lru_cache(1024)
def encode(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def normal_authority(authority: str, scheme: str) -> str:
    """Return user, host and port, with a host in lower case and no port that the scheme has anyway."""
    user, at, host = authority.rpartition("@")
    host = HOST_PART.sub(lambda match: match[1] or match[0].lower(), host)
    while (without := host.removesuffix(DEFAULT_PORTS[scheme]).removesuffix(":")) != host:
        host = without
    return f"{user}{at}{host}"


def resolve_dots(path: str) -> str:
    """Return the path without the segments `.` and `..`, as RFC 3986 (5.2.4) removes them."""
    if "/." not in path:
        return path
    segments: list[str] = []
    *folders, last = path.split("/")[1:]
    for segment in (*folders, last):
        if segment == ".." and segments:
            segments.pop()
        elif segment not in (".", ".."):
            segments.append(segment)
    if last in (".", ".."):
        segments.append("")
    return "/" + "/".join(segments)


def decode_segment(segment: str) -> str:
    """Return the name that a segment of a normal path stands for; bytes that are not UTF-8 stay encoded."""
    if "%" not in segment:
        return segment
    text = unquote_to_bytes(segment).decode(errors="surrogateescape")
    return text.translate(ESCAPED_BYTES)
