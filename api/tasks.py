"""Requests and responses about tasks."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, post_load

from api.fields import Choice, Integer, NullIsAbsent, RowResponse, Strict, Text
from api.limits import MAX_DESCRIPTION, MAX_SEARCH, MAX_TITLE
from api.paging import Cursor, PageQuery
from api.times import DatedFilters, DateTime, FilterTime, TimeZone

IGNORED = {"description": "as GET gave it; ignored"}
STATUSES = ("todo", "in_progress", "done")
PRIORITIES = ("low", "normal", "high")
# The database driver takes these for infinite.
INFINITE = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


class DueTime(DateTime):
    """Any time but the very first and the very last of all."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_none=True, **kwargs)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        time = super()._deserialize(value)
        if time in INFINITE:
            raise ValidationError("must not be the first or the last of all times")
        return time


# The part of a cursor for each sort key; a title's is its folded form.
SORT_VALUES: dict[str, fields.Field[Any]] = {
    "created_at": DateTime(),
    "updated_at": DateTime(),
    "due_at": DueTime(),
    "priority": Choice(*PRIORITIES),
    "title": Text(maximum=MAX_TITLE),
}
SORTS = tuple(f"{sign}{name}" for name in SORT_VALUES for sign in ("", "-"))


class Title(Text):
    """A title that is not blank."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(minimum=1, maximum=MAX_TITLE, **kwargs)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = super()._deserialize(value)
        if not text.strip():
            raise ValidationError("must not be blank")
        return text


class CreateTaskRequest(NullIsAbsent):
    """A whole task: what is not named, or null, has its default."""

    title = Title(required=True)
    description = Text(maximum=MAX_DESCRIPTION, load_default="", allow_none=True)
    status = Choice(*STATUSES, load_default="todo", allow_none=True)
    priority = Choice(*PRIORITIES, load_default="normal", allow_none=True)
    due_at = DueTime(load_default=None)


class ReplaceTaskRequest(CreateTaskRequest):
    """The same for a task that is there: what is not named, or null, goes back to its default.

    `id`, `created_at` and `updated_at`, as GET gives them, are ignored.
    """

    id = fields.Raw(load_only=True, metadata=IGNORED)
    created_at = fields.Raw(load_only=True, metadata=IGNORED)
    updated_at = fields.Raw(load_only=True, metadata=IGNORED)

    @post_load
    def drop_ignored(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if name not in ("id", "created_at", "updated_at")}


class UpdateTaskRequest(Strict):
    """What is to change. A `due_at` of null clears it."""

    title = Title()
    description = Text(maximum=MAX_DESCRIPTION)
    status = Choice(*STATUSES)
    priority = Choice(*PRIORITIES)
    due_at = DueTime()


class ListTasksRequest(DatedFilters, PageQuery):
    """`after` loads to the sort key's value and the id of the last task. A cursor is for its sort alone."""

    starts: ClassVar[tuple[str, ...]] = ("due_before",)  # whole days before it
    ends: ClassVar[tuple[str, ...]] = ()

    after = Cursor(Choice(*SORTS), fields.Raw(allow_none=True), Integer(minimum=1))
    status = Choice(*STATUSES)
    priority = Choice(*PRIORITIES)
    due_before = FilterTime()
    tz = TimeZone(load_default="UTC")
    q = Text(maximum=MAX_SEARCH)
    sort = Choice(*SORTS, load_default="-created_at")

    @post_load
    def read_cursor(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if data["after"] is None:
            return data
        sort, value, task_id = data["after"]
        if sort != data["sort"]:
            raise ValidationError(f"is a cursor of the sort {sort}", "cursor")
        try:
            value = SORT_VALUES[sort.removeprefix("-")].deserialize(value)
        except ValidationError:
            raise ValidationError("is not a cursor of this list", "cursor") from None
        return {**data, "after": (value, task_id)}


class TaskResponse(RowResponse):
    id = fields.Integer()
    title = fields.String()
    description = fields.String()
    status = Choice(*STATUSES)
    priority = Choice(*PRIORITIES)
    due_at = DateTime(allow_none=True)
    created_at = DateTime()
    updated_at = DateTime()
