"""How calls to services of others fail."""


class UpstreamError(Exception):
    """The service gave no answer that can be used."""


class UpstreamRefused(UpstreamError):
    """It does not take this request, which says nothing of the next one."""


class UpstreamFailed(UpstreamError):
    """It is away, too busy, or answers nonsense: whoever asks next will most likely fare the same."""


class UpstreamSlow(UpstreamFailed):
    """It has not answered within the time that it was given."""
