"""Expected failures, each with a stable `code` for clients. transport/errors.py turns them into HTTP.

TrawlError
├── Unauthorized         who the caller is
├── Forbidden            what the caller may do
├── NotFound
├── Conflict             with what is stored
├── PreconditionFailed   what the caller expected of it
├── Invalid              what the caller sent
├── TooLarge
├── TooSlow              what the caller sends
├── TooMany              how often
├── UnknownFormat        of a log
└── Unavailable          what we depend on
"""

from collections.abc import Sequence


class TrawlError(Exception):
    """An expected failure, whose detail the caller is told."""

    code = "error"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code


class Unauthorized(TrawlError):
    """The caller has not shown who it is."""

    code = "unauthorized"


class Forbidden(TrawlError):
    """The caller is known and may not do this."""

    code = "forbidden"


class NotFound(TrawlError):
    """There is no such thing, or none that the caller may know of."""

    code = "not_found"


class Conflict(TrawlError):
    """The request contradicts what is stored."""

    code = "conflict"


class PreconditionFailed(TrawlError):
    """The resource has changed since the caller read it."""

    code = "precondition_failed"


class Invalid(TrawlError):
    """The request can be read but is wrong. `errors` are (JSON pointer or parameter, detail) pairs."""

    code = "invalid"

    def __init__(
        self, detail: str, *, errors: Sequence[tuple[str, str]] = (), code: str | None = None
    ) -> None:
        super().__init__(detail, code=code)
        self.errors = tuple(errors)


class TooLarge(TrawlError):
    """The request is larger than is accepted."""

    code = "too_large"


class TooSlow(TrawlError):
    """The request does not arrive, or too slowly."""

    code = "request_timeout"


class TooMany(TrawlError):
    """The caller asks too often. Another try is worthwhile after `retry_after` seconds."""

    code = "rate_limited"

    def __init__(self, detail: str, *, retry_after: int, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class UnknownFormat(TrawlError):
    """None of the first lines of a log fits a format."""

    code = "unknown_format"


class Unavailable(TrawlError):
    """A dependency is away. `retry_after` is in seconds, or None where waiting does not help."""

    code = "unavailable"

    def __init__(self, detail: str, *, retry_after: int | None = 1, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after
