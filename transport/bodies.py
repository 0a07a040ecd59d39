"""Receives the bodies of requests within the bounds of `service/bounds/`: of time, memory and number."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sanic.exceptions import BadRequest, PayloadTooLarge

from api.limits import MAX_BODY, MIB
from service.bounds import Bounds
from service.bounds.bodies import BodyShare
from service.errors import TooMany, TooSlow
from service.logs.streams import BrokenOff
from service.security.rate_limits import network
from telemetry.refusals import record_refusal
from transport.errors import UnsupportedMediaType
from transport.fairness import give_way
from transport.gunzip import gunzip
from transport.multipart import FORM, open_first_file
from transport.parsing import declared_size, is_gzipped
from transport.request import Request
from transport.sanic_internals import receive_message

SMALL_BULK_BODY = 64 * 1024  # bytes that need no permit, if they are declared and not gzipped
MAX_VALUES = 1_000_000  # in a body: a hundred for each of 10,000 events
GZIP_OVERHEAD = 1.01  # of content that can't be compressed, and more than enough


class BodyClock:
    """The time that is left for a body. Waiting for it counts, and nothing that is done with its pieces."""

    def __init__(self, bounds: Bounds, size: int | None) -> None:
        """Begin with all of it.

        :param size: of the body at most, None if that is not known
        """
        self.waited = 0.0
        self.received = 0
        self._bounds = bounds
        self._is_small = size is not None and size <= MIB

    @property
    def left(self) -> float:
        """The seconds for which its next piece may be waited for."""
        seconds = self._bounds.body_seconds
        if self._is_small:
            return seconds - self.waited
        return min(seconds, max(seconds, self.received / self._bounds.body_rate) - self.waited)


async def receive_body(request: Request) -> None:
    """Receive the body, unless the handler does it itself, as it comes. A bulk body waits for a permit.

    :raises PayloadTooLarge: it is over the route's limit, gunzipped
    :raises TooMany: `too_many_at_once`, no permit was free in time, or its address has too many slow bodies
    :raises TooSlow: it did not arrive, or arrived too slowly
    :raises Unavailable: `busy`, if all bodies under way hold too much memory
    """
    limit = None if request.is_streamed else body_limit(request)
    if is_bulk(request):
        permit = request.deps.permits.bulk_bodies.acquire(request.user_id)
        await request.ctx.resources.enter_async_context(permit)
    if limit is not None:
        request.body = await read_body(request, limit)


async def read_body(request: Request, limit: int) -> bytes:
    """Read the whole body, gunzipped where the route takes that."""
    share = open_share(request)
    chunks: list[bytes] = []
    size = 0
    async for chunk in body_chunks(request, share, limit):
        size += len(chunk)
        if size > limit:
            raise PayloadTooLarge(f"the body is over {limit} bytes")
        share.hold(len(chunk))
        chunks.append(chunk)
    body = b"".join(chunks)
    if size > MAX_VALUES:
        await asyncio.to_thread(check_values, body)
    return body


def check_values(body: bytes) -> None:
    """Check that a parser makes no more of a body than memory has room for: 32 MiB may be a gigabyte parsed.

    :raises PayloadTooLarge: it has too many values
    """
    if sum(body.count(mark) for mark in (b",", b"[", b"{", b"\n")) > MAX_VALUES:
        raise PayloadTooLarge(f"the body has over {MAX_VALUES} values")


def body_limit(request: Request) -> int:
    """Return the bytes that the route takes.

    :raises PayloadTooLarge: the body declares more
    """
    limit: int = getattr(request.route_ctx, "max_body", MAX_BODY)
    if (declared_size(request) or 0) > raw_limit(request, limit):
        raise PayloadTooLarge(f"the body is over {limit} bytes")
    return limit


def raw_limit(request: Request, limit: int) -> int:
    """Return the bytes that may arrive, which are a little more than the content of a gzipped body."""
    return int(limit * GZIP_OVERHEAD) + 1024 if is_gzipped(request) else limit


def is_bulk(request: Request) -> bool:
    """Return whether the body needs a permit of its account."""
    size = declared_size(request)
    return getattr(request.route_ctx, "bulk", False) and (
        request.is_streamed or size is None or size > SMALL_BULK_BODY or is_gzipped(request)
    )


def open_share(request: Request) -> BodyShare:
    """Begin a body's share in the bounds, which ends with the request."""
    share = BodyShare(request.deps.permits.bodies, network(request.address))
    request.ctx.resources.callback(share.close)
    return share


async def body_chunks(request: Request, share: BodyShare, limit: int) -> AsyncIterator[bytes]:
    """Yield the body chunk by chunk, gunzipped if need be.

    :raises BadRequest: it ends too early, or is not gzip though declared so
    :raises UnsupportedMediaType: its encoding is none that is taken here
    """
    gzipped = is_gzipped(request)
    if gzipped and not getattr(request.route_ctx, "gzip", False):
        raise UnsupportedMediaType("Content-Encoding gzip is not taken here")
    received = receive_chunks(request, share, raw_limit(request, limit))
    async for chunk in gunzip(received, share) if gzipped else received:
        yield chunk


@dataclass(frozen=True, slots=True)
class Upload:
    """A log that is uploaded: its own name, empty if it has none, its bytes as they arrive, and how many."""

    name: str
    pieces: AsyncIterator[bytes]
    size: int | None


async def open_upload(request: Request) -> Upload:
    """Open the body of any type as a log; of a form, its first file.

    :raises BadRequest: the form has no file
    :raises UnsupportedMediaType: a form is gzipped as a whole
    """
    content_type: str = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != FORM:
        return Upload("", upload_chunks(request), declared_size(request))
    if is_gzipped(request):
        raise UnsupportedMediaType(f"Content-Encoding gzip is not taken of {FORM}: gzip the file in it")
    file = await open_first_file(content_type, upload_chunks(request))
    return Upload(file.name, file.pieces, None)


async def upload_chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield a body of any size as it arrives, for a use case that gunzips it itself.

    :raises BrokenOff: the client left before the end
    :raises TooSlow: it did not arrive, or arrived too slowly
    """
    try:
        async for chunk in receive_chunks(request, open_share(request), None):
            yield chunk
    except BadRequest as error:
        raise BrokenOff(f"the upload broke off: {error}") from None


async def receive_chunks(request: Request, share: BodyShare, limit: int | None) -> AsyncIterator[bytes]:
    """Yield a body as it arrives, before it is gunzipped.

    :param limit: of its bytes, None if there is none
    :raises BadRequest: the client left before the end of the body
    :raises PayloadTooLarge: it is over the limit
    :raises TooSlow: it did not arrive, or arrived too slowly
    :raises TooMany: too many bodies of its address are slow
    """
    size = declared_size(request)
    clock = BodyClock(request.deps.permits.bounds, limit if size is None else size)
    has_more = True
    while has_more:
        message = await receive_in_time(request, clock, share)
        if message["type"] != "http.request":
            await give_way(request.app, network(request.address))  # hundreds may break off at once
            raise BadRequest("the body broke off")
        has_more = message.get("more_body", False)
        chunk = message.get("body") or b""
        clock.received += len(chunk)
        if limit is not None and clock.received > limit:
            raise PayloadTooLarge(f"the body is over {limit} bytes")
        if chunk:
            yield chunk
    share.end_wait()


async def receive_in_time(request: Request, clock: BodyClock, share: BodyShare) -> dict[str, Any]:
    """Wait for the next piece of a body, which becomes a slow one after a while."""
    loop = asyncio.get_running_loop()
    start, left = loop.time(), clock.left
    slow_after = request.deps.permits.bounds.slow_after - clock.waited
    wait = SlowWait(request, share, start + left)
    # A timer alone: nearly all bodies have arrived, and a task for each would cost as much as its request.
    timer = loop.call_later(max(0.0, 0.0 if share.is_slow else min(slow_after, left)), wait.begin)
    try:
        async with wait.deadline:
            message = await receive_message(request)
    except TimeoutError:
        raise wait.refusal or too_slow() from None
    finally:
        timer.cancel()
        wait.end()
    clock.waited += loop.time() - start
    return message


def too_slow() -> TooSlow:
    record_refusal("body_seconds")
    return TooSlow("the body did not arrive, or arrived too slowly")


class SlowWait:
    """What becomes of a wait for a piece of a body that takes a while: it has to have a place, and ends."""

    __slots__ = ("_end", "_request", "_share", "_task", "deadline", "refusal")

    def __init__(self, request: Request, share: BodyShare, end: float) -> None:
        """Make a wait that has not begun.

        :param end: of the wait, by the clock of the event loop
        """
        self.deadline = asyncio.timeout(None)
        self.refusal: TooMany | None = None
        self._request, self._share, self._end = request, share, end
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Take a place among the slow bodies, or end the wait with a refusal."""
        self._task = asyncio.get_running_loop().create_task(self._begin(), name="slow body")

    async def _begin(self) -> None:
        if not self._share.is_slow:
            await give_way(self._request.app, network(self._request.address))
            try:
                self._share.begin_wait()
            except TooMany as error:
                self.refusal, self._end = error, asyncio.get_running_loop().time()
        self.deadline.reschedule(self._end)

    def end(self) -> None:
        """End the wait. Of a cancelled task remains what it was at, and that refers to the task."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
