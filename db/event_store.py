"""What a process needs to read columns of events: the files of parts, and numbers of users."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from db.column_files import ColumnFiles

if TYPE_CHECKING:  # with numpy, which is imported where it is used
    from db.event_parts import EventColumns
    from db.event_users import UserCodes


@dataclass(slots=True)
class EventStore:
    """Made once a process; `users` when the first reader comes."""

    files: "ColumnFiles[EventColumns]" = field(
        default_factory=lambda: ColumnFiles(None, bound=0, form="db.event_parts")
    )
    users: "UserCodes | None" = None
