"""Reads the Accept headers: values in any letter case, each with a weight (`text/csv;q=0.5, image/*`)."""

import re
from collections.abc import Mapping

from transport.request import Request

WEIGHT = re.compile(r"0(\.[0-9]*)?|1(\.0*)?")


def accepted_format(request: Request, formats: Mapping[str, str], *, default: str) -> str:
    """Return the format that Accept prefers; `default` if it names none of ours.

    :param formats: by media type; ranges such as `text/*` too
    """
    return next((formats[mime] for mime in accepted_types(request) if mime in formats), default)


def accepted_types(request: Request) -> list[str]:
    """Return the media types and ranges that a client takes, the best first."""
    return accepted_values(request, "accept")


def takes_gzip(request: Request) -> bool:
    """Return whether a client has said that it takes gzip."""
    return not {"gzip", "x-gzip"}.isdisjoint(accepted_values(request, "accept-encoding"))


def accepted_values(request: Request, header: str) -> list[str]:
    """Return the values of a header whose weight is not 0, the best first, of equal ones ranges last.

    What is malformed is ignored.
    """
    weights = dict(map(weigh, request.headers.get(header, "").split(",")))
    return sorted(filter(weights.get, weights), key=lambda value: (-weights[value], value.count("*")))


def weigh(part: str) -> tuple[str, float]:
    """Return a value of a header and its weight, which is 0 if it is not a weight."""
    value, *parameters = (text.strip().lower() for text in part.split(";"))
    weight = next((text[2:].strip() for text in parameters if text.startswith("q=")), "1")
    return value, float(weight) if WEIGHT.fullmatch(weight) else 0.0
