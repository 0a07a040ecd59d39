"""What the formats of a log depend on."""

from dataclasses import dataclass
from datetime import tzinfo

from service.logs.url_rules import Rules


@dataclass(frozen=True, slots=True)
class FormatOptions:
    """How lines are read.

    :param zone: of times that name none
    :param rules: classify the URLs of all formats but the shop's, and name the fields of JSON lines
    :param declared: the format that the log is said to have: a name or a log_format; None detects it
    """

    zone: tzinfo
    rules: Rules | None = None
    declared: str | None = None
