"""Gzipped bodies: unzipped in pieces, and bounded however they are made."""

import gzip
from collections.abc import AsyncIterator

from tests.support.http_client import User
from transport.gunzip import INPUT, PIECE, Gunzipper

EMPTY = gzip.compress(b"")
HEAD = 10  # bytes before what is optional
# A member without content whose header has a name of a thousand bytes: it takes few of them to be too many.
LONG_NAMED = EMPTY[:3] + b"\x08" + EMPTY[4:HEAD] + b"a" * 1000 + b"\x00" + EMPTY[HEAD:]


def test_many_members_are_gunzipped_without_copying_the_rest_again_and_again() -> None:
    gunzipper = Gunzipper()
    gunzipper.add(EMPTY * 20_000)
    assert gunzipper.next_piece() == b""
    assert not gunzipper.has_more
    assert not gunzipper.is_broken_off
    assert len(EMPTY) * 20_000 > INPUT


def test_what_is_gunzipped_comes_in_pieces() -> None:
    gunzipper = Gunzipper()
    gunzipper.add(gzip.compress(b" " * (5 * PIECE + 3)))
    sizes = []
    while gunzipper.has_more:
        sizes.append(len(gunzipper.next_piece()))
    assert sizes == [PIECE] * 5 + [3]
    assert not gunzipper.is_broken_off


async def test_members_without_content_have_a_limit_too(user: User) -> None:
    async def endless() -> AsyncIterator[bytes]:
        members = LONG_NAMED * 500
        while True:
            yield members

    answer = await user.client.post(
        "/events", data=endless(), headers={"Content-Type": "application/json", "Content-Encoding": "gzip"}
    )
    assert (answer.status, answer.code) == (413, "too_large")
