"""Requests and responses about sites, and about the views that their pages report."""

import re
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

import msgspec
from marshmallow import Schema, ValidationError, fields, post_load

from api.fields import Choice, Integer, JsonSchema, Strict, Text, item_count
from api.limits import MAX_NAME, MAX_ORIGIN, MAX_ORIGINS, MAX_PAGE_URL, MAX_SITE_KEY
from api.paging import Cursor, PageQuery
from api.times import DateTime
from api.visits import CONTROL, PAGE_URL, PageUrl

ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?",
    re.IGNORECASE | re.ASCII,
)
DEFAULT_PORTS = {"http": 80, "https": 443}
EXPLANATION = (
    "must be an origin such as https://shop.example: a scheme, a host, a port if it has one, no path"
)


class Origin(Text):
    """The origin of a page. Loaded as a browser writes it: in lower case, without the scheme's own port."""

    json_schema: ClassVar[JsonSchema] = {
        "type": "string",
        "maxLength": MAX_ORIGIN,
        "example": "https://shop.example",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(minimum=1, maximum=MAX_ORIGIN, **kwargs)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = super()._deserialize(value).lower()
        match = ORIGIN.fullmatch(text)
        if match is None or not is_url(text):
            raise ValidationError(EXPLANATION)
        port = int(match["port"]) if match["port"] else None
        if port in (None, DEFAULT_PORTS[match["scheme"]]):
            return f"{match['scheme']}://{match['host']}"
        return f"{match['scheme']}://{match['host']}:{port}"


def is_url(text: str) -> bool:
    """Return whether the host and the port of a URL can be ones."""
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class CreateSiteRequest(Strict):
    """A site: the origins are exact, those of a sub-domain are others."""

    example: ClassVar[dict[str, Any]] = {"name": "The shop", "origins": ["https://shop.example"]}

    name = Text(minimum=1, maximum=MAX_NAME, required=True)
    origins = fields.List(Origin(), required=True, validate=item_count(1, MAX_ORIGINS))

    @post_load
    def drop_repeated(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data | {"origins": list(dict.fromkeys(data["origins"]))}


class ListSitesRequest(PageQuery):
    after = Cursor(Integer(minimum=1))


class SiteResponse(Schema):
    """A site. Its key stands in its pages: it is public, and only records views of pages of these origins."""

    example: ClassVar[dict[str, Any]] = {
        "id": 1,
        "name": "The shop",
        "origins": ["https://shop.example"],
        "key": "3Qm1rX0f8JtEw2yLZbUO5A",
        "created_at": "2018-08-01T03:00:00Z",
    }

    id = fields.Integer()
    name = fields.String()
    origins = fields.List(fields.String())
    key = fields.String()
    created_at = DateTime()


class CollectRequest(Strict):
    """A view of a page: its site's key, its URL without the fragment, and where the visitor came from."""

    example: ClassVar[dict[str, Any]] = {
        "site": "3Qm1rX0f8JtEw2yLZbUO5A",
        "page_url": "https://shop.example/fresh_fish/salmon/",
        "referrer": "https://search.example/",
    }

    site = Text(minimum=1, maximum=MAX_SITE_KEY, required=True)
    page_url = PageUrl(required=True)
    referrer = Text(maximum=MAX_PAGE_URL, load_default=None, allow_none=True)


class PlainView(msgspec.Struct, forbid_unknown_fields=True):
    """A CollectRequest as nearly all are."""

    site: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_SITE_KEY)]
    page_url: Annotated[str, msgspec.Meta(max_length=MAX_PAGE_URL)]
    referrer: Annotated[str, msgspec.Meta(max_length=MAX_PAGE_URL)] | None = None


decode_plain_view = msgspec.json.Decoder(PlainView).decode


def load_plain_view(content: bytes) -> dict[str, Any] | None:
    """Load what CollectRequest would load of a body, if that is surely valid; else None.

    That is for speed. Whatever is not plain is judged by the schema.
    """
    try:
        view = decode_plain_view(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    texts = (view.site, view.page_url, view.referrer or "")
    if CONTROL.search("".join(texts)) or not PAGE_URL.fullmatch(view.page_url):
        return None
    return {"site": view.site, "page_url": view.page_url, "referrer": view.referrer}


class PixelRequest(Strict):
    """The same in a query string. The page that is left out is that of the Referer."""

    site = Text(minimum=1, maximum=MAX_SITE_KEY, required=True)
    page_url = PageUrl(load_default=None)
    referrer = Text(maximum=MAX_PAGE_URL, load_default=None)


class CollectResponse(Schema):
    """What became of a view: stored for good, ignored for what it is, or dropped for lack of room."""

    example: ClassVar[dict[str, Any]] = {"status": "stored", "detail": None}

    status = Choice("stored", "ignored", "dropped")
    detail = fields.String(allow_none=True)
