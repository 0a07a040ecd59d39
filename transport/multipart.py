"""Forms that are `multipart/form-data` (RFC 7578): their fields, or their first file as it arrives.

Of a file only a piece is held.

    --boundary CRLF
    Content-Disposition: form-data; name="file"; filename="july.log" CRLF
    CRLF
    the file CRLF
    --boundary--

Fields before the file are skipped, and what follows it is not read.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import decode_rfc2231
from urllib.parse import unquote

from sanic.exceptions import BadRequest

from service.logs.streams import BrokenOff
from transport.sanic_internals import parse_options

FORM = "multipart/form-data"
MAX_BOUNDARY = 70  # characters, RFC 2046
MAX_HEAD = 8 * 1024  # bytes of the headers of a part
MAX_FIELDS = 1024 * 1024  # bytes before the file, with all headers
BOUNDARY_MARK = b"\r\n--"
END_MARK = b"--"
BLANK_LINE = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file of a form: its bare name, empty if it has none, and its content, to be read once."""

    name: str
    pieces: AsyncIterator[bytes]


async def open_first_file(content_type: str, chunks: AsyncIterator[bytes]) -> FormFile:
    """Read a form up to its first file: a part with a file name, or one that is named `file`.

    :raises BadRequest: it is not a form, or has no file within MAX_FIELDS
    """
    boundary = parse_options(content_type).get("boundary", "")
    parts = PartReader(chunks)
    try:
        await parts.begin(boundary.encode(errors="surrogateescape"))
        await parts.skip()
        while (head := await parts.read_head()) is not None:
            name = file_name(head)
            if name is not None:
                return FormFile(name, parts.content())
            await parts.skip()
    except BrokenOff as error:
        raise BadRequest(f"the form ends before its file does: {error}") from None
    raise BadRequest("the form has no file")


async def read_fields(content_type: str, body: bytes, *, most: int) -> list[tuple[str, str]]:
    """Return the names and texts of the parts of a form.

    :raises BadRequest: it is not a form, is not UTF-8, or has more than `most` parts
    """
    parts = PartReader(one_piece(body))
    fields: list[tuple[str, str]] = []
    try:
        await parts.begin(parse_options(content_type).get("boundary", "").encode(errors="surrogateescape"))
        await parts.skip()
        while (head := await parts.read_head()) is not None:
            content = b"".join([piece async for piece in parts.content()])
            fields.append((disposition(head).get("name", ""), content.decode()))
            if len(fields) > most:
                raise BadRequest(f"the form has over {most} fields")
    except BrokenOff as error:
        raise BadRequest(str(error)) from None
    except UnicodeDecodeError:
        raise BadRequest("the form is not UTF-8") from None
    return fields


async def one_piece(body: bytes) -> AsyncIterator[bytes]:
    yield body


def disposition(head: bytes) -> dict[str, str]:
    """Return the parameters of a part's Content-Disposition; none if it has no such header."""
    for line in head.split(b"\r\n"):
        header, _, value = line.decode(errors="replace").partition(":")
        if header.strip().lower() == "content-disposition":
            return parse_options(value.strip())
    return {}


def file_name(head: bytes) -> str | None:
    """Return the bare name of the file that a part is, None if it is none.

    A browser sends an empty `filename` where no file was chosen.
    """
    options = disposition(head)
    name = options.get("filename", "")
    if not name and "filename*" in options:
        charset, _, encoded = decode_rfc2231(options["filename*"])
        is_known = (charset or "").lower() in ("utf-8", "iso-8859-1")
        name = unquote(encoded, charset or "utf-8") if is_known else encoded
    bare = name.replace("\\", "/").rpartition("/")[2]
    return bare if bare or options.get("name") == "file" else None


class PartReader:
    """Cuts a body at its boundaries."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._delimiter = b""
        self._buffer = bytearray(b"\r\n")  # so that the first boundary is like all others
        self._skipped = 0

    async def begin(self, boundary: bytes) -> None:
        """Set the boundary. Without one it is the first line of the body: some clients do not tell it.

        :raises BadRequest: it is too long, or there is none
        """
        boundary = boundary or await self._read_first_line()
        if len(boundary) > MAX_BOUNDARY:
            raise BadRequest(f"the boundary of {FORM} has over {MAX_BOUNDARY} characters")
        self._delimiter = BOUNDARY_MARK + boundary

    async def _read_first_line(self) -> bytes:
        """Return the boundary that the body begins with; it stays in the buffer.

        :raises BadRequest: it begins with none
        """
        try:
            while (end := self._buffer.find(b"\r\n", 2)) < 0 and len(self._buffer) <= MAX_HEAD:
                await self._receive()
        except BrokenOff:
            end = -1
        boundary = bytes(self._buffer[len(BOUNDARY_MARK) : end])
        if end < 0 or not boundary or not self._buffer.startswith(BOUNDARY_MARK):
            raise BadRequest("the Content-Type has no boundary")
        return boundary

    async def read_head(self) -> bytes | None:
        """Return the headers of the part that begins here; None after the last one.

        :raises BadRequest: they are too long
        :raises BrokenOff: the body ends within them
        """
        while len(self._buffer) < len(END_MARK):
            await self._receive()
        if self._buffer.startswith(END_MARK):
            return None
        while (end := self._buffer.find(BLANK_LINE)) < 0 and len(self._buffer) <= MAX_HEAD:
            await self._receive()
        if not 0 <= end <= MAX_HEAD:
            raise BadRequest(f"the headers of a part of the form are over {MAX_HEAD} bytes")
        head = bytes(self._buffer[:end])
        del self._buffer[: end + len(BLANK_LINE)]
        self._count(len(head))
        return head

    async def content(self) -> AsyncIterator[bytes]:
        """Yield the content of a part, up to the next boundary.

        :raises BrokenOff: the body ends before that
        """
        while (end := self._buffer.find(self._delimiter)) < 0:
            ready = len(self._buffer) - len(self._delimiter) + 1  # the rest may be the start of a boundary
            if ready > 0:
                yield bytes(self._buffer[:ready])
                del self._buffer[:ready]
            await self._receive()
        if end:
            yield bytes(self._buffer[:end])
        del self._buffer[: end + len(self._delimiter)]

    async def skip(self) -> None:
        """Read up to the next boundary.

        :raises BadRequest: what stands before the file is too long
        :raises BrokenOff: the body ends before that
        """
        async for piece in self.content():
            self._count(len(piece))

    def _count(self, size: int) -> None:
        self._skipped += size
        if self._skipped > MAX_FIELDS:
            raise BadRequest(f"the form has no file within its first {MAX_FIELDS} bytes")

    async def _receive(self) -> None:
        chunk = await anext(self._chunks, None)
        if chunk is None:
            raise BrokenOff("the form ends without its last boundary")
        self._buffer += chunk
