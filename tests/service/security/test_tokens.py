import uuid
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import Unauthorized
from service.security.tokens import Claims, TokenSettings, decode_token, encode_token

SETTINGS = TokenSettings("a secret of the tests, longer than 32 bytes")
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_token_claims_what_it_was_made_of(algorithm: str) -> None:
    settings = TokenSettings("x" * 32, algorithm)
    claims = Claims(2**63 - 1, uuid.uuid4(), NOW + timedelta(minutes=30))
    token = encode_token(settings, claims, now=NOW)
    assert decode_token(settings, token, now=NOW) == claims
    assert jwt.get_unverified_header(token) == {"alg": algorithm, "typ": "at+jwt"}


def test_the_secret_itself_verifies_a_token() -> None:
    """The zeros that our key ends with are HMAC's own."""
    token = encode_token(SETTINGS, Claims(1, uuid.uuid4(), NOW + timedelta(minutes=30)), now=NOW)
    assert jwt.decode(token, SETTINGS.secret, algorithms=["HS256"])["sub"] == "1"


def test_a_token_ends_though_it_has_been_verified_before() -> None:
    claims = Claims(1, uuid.uuid4(), NOW + timedelta(minutes=30))
    token = encode_token(SETTINGS, claims, now=NOW)
    assert decode_token(SETTINGS, token, now=NOW + timedelta(minutes=29)) == claims
    with pytest.raises(Unauthorized):
        decode_token(SETTINGS, token, now=claims.expires_at)


def test_a_token_that_was_verified_is_good_for_its_secret_alone() -> None:
    token = encode_token(SETTINGS, Claims(1, uuid.uuid4(), NOW + timedelta(minutes=30)), now=NOW)
    decode_token(SETTINGS, token, now=NOW)
    with pytest.raises(Unauthorized):
        decode_token(TokenSettings("another secret, that is long enough too"), token, now=NOW)


def test_the_secret_is_not_shown() -> None:
    assert SETTINGS.secret not in repr(SETTINGS)


@given(st.text(max_size=200))
def test_text_is_no_token(text: str) -> None:
    with pytest.raises(Unauthorized):
        decode_token(SETTINGS, text, now=NOW)


@given(st.sampled_from("ABCxyz019-_."), st.data())
def test_a_token_with_another_letter_is_none(letter: str, data: st.DataObject) -> None:
    token = encode_token(SETTINGS, Claims(1, uuid.uuid4(), NOW + timedelta(minutes=30)), now=NOW)
    place = data.draw(st.integers(0, len(token) - 2))  # the last letter holds bits that mean nothing
    if token[place] != letter:
        with pytest.raises(Unauthorized):
            decode_token(SETTINGS, token[:place] + letter + token[place + 1 :], now=NOW)
