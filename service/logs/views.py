"""What a request is: a view of a page, or not; a page, or an asset."""

import re

VIEW_METHODS = ("GET", "POST")
FIRST_SUCCESS, LAST_SUCCESS, NOT_MODIFIED, BAD_REQUEST = 200, 299, 304, 400
# Scripts and their maps, styles, images and icons, fonts.
ASSET_SUFFIXES = (
    *("js", "mjs", "cjs", "map", "wasm", "css"),
    *("png", "apng", "jpg", "jpeg", "jfif", "gif", "webp", "avif", "svg", "svgz", "bmp", "tif", "tiff"),
    *("jxl", "heic", "ico", "cur", "woff", "woff2", "ttf", "otf", "ttc", "eot"),
)
ASSET = re.compile(rf"/robots\.txt|.*\.(?:{'|'.join(ASSET_SUFFIXES)})", re.IGNORECASE | re.ASCII)


def is_view(
    method: str | None, status: int | None, *, tells_method: bool = True, tells_status: bool = True
) -> bool:
    """Return whether a request shows its page: otherwise its kind is `other`.

    One that tells no method where its log tells them, or no status, does not. Where the log does not, a
    request is taken for a GET, and for a success.
    """
    is_viewed = method in VIEW_METHODS or not (tells_method or method)
    return is_viewed and (is_success(status) if tells_status else True)


def is_success(status: int | None) -> bool:
    return status is not None and (FIRST_SUCCESS <= status <= LAST_SUCCESS or status == NOT_MODIFIED)


def is_asset(path: str) -> bool:
    """Return whether a path is that of a script, a style, an image, a font or an icon, or is /robots.txt."""
    return ASSET.fullmatch(path) is not None
