"""Serves the files of our pages: each is read once, and sent gzipped to clients that accept gzip."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sanic.response import HTTPResponse

from service.errors import NotFound
from transport.accept import takes_gzip
from transport.request import Request
from transport.responses import with_etag

MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in both forms. Their ETags differ, because their bytes do."""

    plain: bytes
    gzipped: bytes

    def etag(self, *, gzipped: bool) -> str:
        digest = hashlib.blake2b(self.plain, digest_size=12).hexdigest()
        return f'"{digest}{"-gzip" if gzipped else ""}"'


def send_asset(
    request: Request, asset: Asset, media_type: str, *, headers: Mapping[str, str]
) -> HTTPResponse:
    """Answer with the asset, or with 304 if the client has this version."""
    gzipped = takes_gzip(request)
    response = HTTPResponse(asset.gzipped if gzipped else asset.plain, content_type=media_type)
    response = with_etag(request, response, asset.etag(gzipped=gzipped))
    response.headers.update({**headers, "vary": "Accept-Encoding"})
    if gzipped and response.body:
        response.headers["content-encoding"] = "gzip"
    return response


def send_file(request: Request, folder: Path, name: str, *, cache_control: str) -> HTTPResponse:
    """Answer with a script, style or image of the folder.

    :raises NotFound: the folder serves no file of this name
    """
    if name not in asset_names(folder):
        raise NotFound("there is nothing at this path")
    media_type = MEDIA_TYPES[Path(name).suffix]
    return send_asset(request, load_asset(folder, name), media_type, headers={"cache-control": cache_control})


@cache
def asset_names(folder: Path) -> frozenset[str]:
    """List the files that a folder serves, by name; on disk a name may end in `.gz`."""
    names = (path.name.removesuffix(".gz") for path in folder.iterdir())
    return frozenset(name for name in names if Path(name).suffix in MEDIA_TYPES)


@cache
def load_asset(folder: Path, name: str) -> Asset:
    """Read a file, which may be stored gzipped. It is read once in the life of a process."""
    gzip_file = folder / f"{name}.gz"
    if gzip_file.exists():
        gzipped = gzip_file.read_bytes()
        return Asset(gzip.decompress(gzipped), gzipped)
    return make_asset((folder / name).read_bytes())


def make_asset(plain: bytes) -> Asset:
    return Asset(plain, gzip.compress(plain, mtime=0))
