"""Requests and responses about imports."""

from marshmallow import INCLUDE, Schema, fields

from api.fields import Choice, Flag, Integer, IntegerText, Strict, Text
from api.limits import IMPORT_WAIT, MAX_FILE_NAME, MAX_IMPORT_NAME, MAX_IMPORT_WAIT, MAX_LOG_FORMAT
from api.paging import Cursor, PageQuery
from api.times import DateTime


class ParseLogRequest(Strict):
    """`file` is a name in the log folder, for admins; `wait` is in seconds.

    `format` is the name of a format, or a log_format of nginx.
    """

    file = Text(minimum=1, maximum=MAX_FILE_NAME, load_default=None)
    wait = IntegerText(minimum=0, maximum=MAX_IMPORT_WAIT, load_default=IMPORT_WAIT)
    log_format = Text(minimum=1, maximum=MAX_LOG_FORMAT, load_default=None, data_key="format")
    dry_run = Flag(load_default=False)


class UploadLogRequest(Strict):
    """`name` becomes the name of the import; by default that of the form's file, else `upload`.

    `format` is the name of a format, or a log_format of nginx.
    """

    name = Text(minimum=1, maximum=MAX_IMPORT_NAME, load_default=None)
    log_format = Text(minimum=1, maximum=MAX_LOG_FORMAT, load_default=None, data_key="format")
    dry_run = Flag(load_default=False)


class UploadForm(Strict):
    """A form whose first file is a log, plain or gzip, under any name; other fields are not read."""

    class Meta:
        unknown = INCLUDE  # the document then says that other fields may be there

    file = fields.Raw(required=True, metadata={"type": "string", "format": "binary", "example": "a log"})


class ListImportsRequest(PageQuery):
    after = Cursor(Integer())


class ListRejectsRequest(PageQuery):
    after = Cursor(Integer())


class ImportResponse(Schema):
    """An import. `bytes` is how far it has come; `lines` = `imported` + `duplicates` + `rejected`.

    `status` is running, done, failed, cancelled or undone; `format` is that of the first line that fits any,
    null before there is one, and custom for a log_format.
    """

    id = fields.Integer()
    name = fields.String()
    format = Choice("shop", "common", "combined", "vhost_combined", "w3c", "json", "custom", allow_none=True)
    status = Choice("running", "done", "failed", "cancelled", "undone")
    dry_run = fields.Boolean()
    bytes = fields.Integer()
    bytes_total = fields.Integer(allow_none=True)
    lines = fields.Integer()
    imported = fields.Integer()
    duplicates = fields.Integer()
    rejected = fields.Integer()
    lines_per_second = fields.Integer()
    started_at = DateTime()
    finished_at = DateTime(allow_none=True)
    error = fields.String(allow_none=True)


class RejectResponse(Schema):
    """A line that did not fit: its number from 1, its offset in bytes, why, and its first 200 characters.

    `text` is null for all but admins.
    """

    line = fields.Integer()
    offset = fields.Integer()
    reason = fields.String()
    text = fields.String(allow_none=True)
