"""How much of each kind an account may have. Two requests at once don't exceed it: the account is locked."""

from dataclasses import dataclass

from service.errors import Conflict


@dataclass(frozen=True, slots=True)
class Quotas:
    """The most of each kind that one account may have."""

    keys: int = 50
    tasks: int = 10_000
    favourites: int = 10_000
    streams: int = 20  # open at a time: see service.security.streams
    shares: int = 50


class QuotaExceeded(Conflict):
    """The account has as many as it may have."""

    code = "quota_exceeded"


def check_quota(count: int, quota: int, kind: str) -> None:
    """Check that an account that has `count` of a kind may have one more.

    :raises QuotaExceeded: it may not
    """
    if count >= quota:
        raise QuotaExceeded(f"an account may have {quota} {kind}; delete some first")
