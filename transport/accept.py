"""Chooses the format of a response by the Accept header, whose media types have any letter case."""

from collections.abc import Mapping

from transport.request import Request


def accepted_format(request: Request, formats: Mapping[str, str], *, default: str) -> str:
    """Return the format that Accept prefers; `default` if it names none of ours.

    :param formats: by media type; ranges such as `text/*` too
    """
    return next((formats[mime] for mime in accepted_types(request) if mime in formats), default)


def accepted_types(request: Request) -> list[str]:
    """Return the media types and ranges that a client takes, the best first."""
    return [media_range.mime.lower() for media_range in request.accept or () if media_range.q]
