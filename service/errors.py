"""What can go wrong for a caller, each with a stable `code`. transport/errors.py turns them into HTTP."""

from collections.abc import Sequence


class TrawlError(Exception):
    """An expected failure that the caller is told about."""

    code = "error"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code


class NotFound(TrawlError):
    """Nothing of that name, or nothing that the caller may know of."""

    code = "not_found"


class Conflict(TrawlError):
    """It contradicts what is stored."""

    code = "conflict"


class Forbidden(TrawlError):
    """The caller is known and may not do this."""

    code = "forbidden"


class Unauthorized(TrawlError):
    """The caller has not shown who it is."""

    code = "unauthorized"


class Changed(TrawlError):
    """The resource is no longer the one that the caller has seen."""

    code = "precondition_failed"


class Invalid(TrawlError):
    """The request can be read but not be right. `errors` are (JSON pointer or parameter, detail) pairs."""

    code = "invalid"

    def __init__(
        self, detail: str, *, errors: Sequence[tuple[str, str]] = (), code: str | None = None
    ) -> None:
        super().__init__(detail, code=code)
        self.errors = tuple(errors)


class TooMany(TrawlError):
    """Too often; worth another try after `retry_after` seconds."""

    code = "rate_limited"

    def __init__(self, detail: str, *, retry_after: int, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class Unavailable(TrawlError):
    """Something that this needs is away. `retry_after` in seconds, None where waiting does not help."""

    code = "unavailable"

    def __init__(self, detail: str, *, retry_after: int | None = 1, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class TooLarge(TrawlError):
    """More than is taken."""

    code = "too_large"
