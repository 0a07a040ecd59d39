"""Files of the pages that we serve, each read once, and sent packed to who takes it so."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sanic.response import HTTPResponse

from service.errors import NotFound
from transport.request import Request
from transport.responses import tagged

MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in both forms. Their ETags differ: they are different bytes."""

    plain: bytes
    packed: bytes

    def etag(self, *, packed: bool) -> str:
        digest = hashlib.blake2b(self.plain, digest_size=12).hexdigest()
        return f'"{digest}{"-gzip" if packed else ""}"'


def send_asset(
    request: Request, asset: Asset, media_type: str, *, headers: Mapping[str, str]
) -> HTTPResponse:
    """The asset, or 304 to who has it."""
    packed = "gzip" in request.headers.get("accept-encoding", "")
    response = HTTPResponse(asset.packed if packed else asset.plain, content_type=media_type)
    response = tagged(request, response, asset.etag(packed=packed))
    response.headers.update({**headers, "vary": "Accept-Encoding"})
    if packed and response.body:
        response.headers["content-encoding"] = "gzip"
    return response


def send_file(request: Request, folder: Path, name: str, *, cache_control: str) -> HTTPResponse:
    """A script, style or image of the folder.

    :raises NotFound: it has none of that name
    """
    if name not in names_in(folder):
        raise NotFound("nothing has this path")
    media_type = MEDIA_TYPES[Path(name).suffix]
    return send_asset(request, load_asset(folder, name), media_type, headers={"cache-control": cache_control})


@cache
def names_in(folder: Path) -> frozenset[str]:
    """What can be asked for; on disk it may lie packed, with `.gz` after its name."""
    names = (path.name.removesuffix(".gz") for path in folder.iterdir())
    return frozenset(name for name in names if Path(name).suffix in MEDIA_TYPES)


@cache
def load_asset(folder: Path, name: str) -> Asset:
    packed = folder / f"{name}.gz"
    if packed.exists():
        raw = packed.read_bytes()
        return Asset(gzip.decompress(raw), raw)
    return make_asset((folder / name).read_bytes())


def make_asset(plain: bytes) -> Asset:
    return Asset(plain, gzip.compress(plain, mtime=0))
