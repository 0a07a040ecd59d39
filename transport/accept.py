"""Chooses the format of a response by the Accept header."""

from collections.abc import Mapping

from transport.request import Request


def accepted_format(request: Request, formats: Mapping[str, str], *, default: str) -> str:
    """Return the format that Accept prefers; `default` if it names none of ours.

    :param formats: by media type; ranges such as `text/*` too
    """
    for media_range in request.accept or ():
        if media_range.mime in formats and media_range.q:
            return formats[media_range.mime]
    return default
