import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import Unauthorized
from service.security.tokens import LEEWAY, Claims, TokenSettings, decode_token, encode_token, key_id_of

SETTINGS = TokenSettings("a secret of the tests, longer than 32 bytes")
OTHER = TokenSettings("another secret, that is long enough too")
NOW = datetime.now(UTC).replace(microsecond=0)
CLAIMS = Claims(
    user_id=1,
    session_id=uuid.uuid4(),
    token_id=uuid.uuid4(),
    issued_at=NOW,
    expires_at=NOW + timedelta(minutes=30),
)
SECOND = timedelta(seconds=1)


def signed(*, headers: dict[str, Any] | None = None, **changes: Any) -> str:
    """Sign the claims with other values; those that are None are left out, as are headers."""
    token = encode_token(SETTINGS, CLAIMS)
    payload = jwt.decode(token, options={"verify_signature": False}) | changes
    header = jwt.get_unverified_header(token) | (headers or {})
    # PyJWT writes a `typ` of its own where none is given, and leaves it out where it is None.
    absent = {name for name, value in header.items() if value is None and name != "typ"}
    return jwt.encode(
        {name: value for name, value in payload.items() if value is not None},
        SETTINGS.key,
        algorithm="HS256",
        headers={name: value for name, value in header.items() if name not in absent},
    )


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_token_claims_what_it_was_made_of(algorithm: str) -> None:
    settings = TokenSettings("x" * 32, algorithm)
    claims = replace(CLAIMS, user_id=2**63 - 1)
    token = encode_token(settings, claims)
    assert decode_token(settings, token, now=NOW) == claims
    header = jwt.get_unverified_header(token)
    assert header == {"alg": algorithm, "typ": "at+jwt", "kid": key_id_of(settings.key)}
    assert encode_token(settings, claims) == token


def test_the_secret_itself_verifies_a_token() -> None:
    """The zeros that our key ends with are HMAC's own."""
    token = encode_token(SETTINGS, CLAIMS)
    payload = jwt.decode(token, SETTINGS.secret, algorithms=["HS256"], audience="trawl")
    assert payload["sub"] == "1"


def test_a_token_ends_though_it_has_been_verified_before() -> None:
    token = encode_token(SETTINGS, CLAIMS)
    assert decode_token(SETTINGS, token, now=CLAIMS.expires_at - SECOND) == CLAIMS
    with pytest.raises(Unauthorized):
        decode_token(SETTINGS, token, now=CLAIMS.expires_at)


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_of_a_clock_that_is_ahead_has_five_seconds(claim: str) -> None:
    changes: dict[str, Any] = {claim: int(NOW.timestamp())}
    token = signed(**changes)
    decode_token(SETTINGS, token, now=NOW - LEEWAY)
    with pytest.raises(Unauthorized):
        decode_token(SETTINGS, token, now=NOW - LEEWAY - SECOND)
    assert timedelta(seconds=5) == LEEWAY


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "other"},
        {"aud": ["trawl"]},
        {"iss": "other"},
        {"sub": "0"},
        {"sub": "+1"},
        {"sub": "1_0"},
        {"sub": str(2**63)},
        {"sub": "1" * 400},
        {"sub": "\u0661"},
        {"jti": "x"},
        {"sid": "x"},
        {"sid": 5},
        {"exp": 10**30},
        {"exp": True},
        {"iat": "1"},
        {"nbf": "x"},
        {"nbf": float("inf")},
        *({name: None} for name in ("exp", "iat", "sub", "jti", "sid", "iss", "aud")),
        *({"headers": {"typ": value}} for value in ("JWT", "at+JWT", None)),
        *({"headers": {"kid": value}} for value in ("other", "", key_id_of(OTHER.key))),
        {"headers": {"crit": ["exp"]}},
        {"headers": {"jku": "https://keys.example"}},
    ],
)
def test_a_token_is_of_our_kind_in_all_of_its_parts(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        decode_token(SETTINGS, signed(**changes), now=NOW)


def test_without_its_fault_each_token_above_would_be_good() -> None:
    assert decode_token(SETTINGS, signed(), now=NOW) == CLAIMS


def test_a_token_that_names_no_key_is_what_its_signature_says() -> None:
    decode_token(SETTINGS, signed(headers={"kid": None}), now=NOW)
    with pytest.raises(Unauthorized):
        decode_token(OTHER, signed(headers={"kid": None}), now=NOW)


def test_a_token_that_was_verified_is_good_for_its_secret_alone() -> None:
    token = encode_token(SETTINGS, CLAIMS)
    decode_token(SETTINGS, token, now=NOW)
    with pytest.raises(Unauthorized):
        decode_token(OTHER, token, now=NOW)


@pytest.mark.parametrize("key_id", [{}, {"kid": None}])
def test_tokens_of_the_previous_secret_are_taken_and_new_ones_are_of_the_new(key_id: dict[str, Any]) -> None:
    changed = replace(OTHER, previous_secret=SETTINGS.secret)
    assert decode_token(changed, signed(headers=key_id), now=NOW) == CLAIMS
    new = encode_token(changed, CLAIMS)
    assert decode_token(OTHER, new, now=NOW) == CLAIMS
    with pytest.raises(Unauthorized):
        decode_token(SETTINGS, new, now=NOW)


def test_a_key_does_not_sign_in_the_name_of_the_other() -> None:
    changed = replace(OTHER, previous_secret=SETTINGS.secret)
    with pytest.raises(Unauthorized):
        decode_token(changed, signed(headers={"kid": key_id_of(OTHER.key)}), now=NOW)


def test_the_secrets_are_not_shown() -> None:
    shown = repr(replace(SETTINGS, previous_secret=OTHER.secret))
    assert SETTINGS.secret not in shown
    assert OTHER.secret not in shown


@given(st.text(max_size=200))
def test_text_is_not_a_token(text: str) -> None:
    with pytest.raises(Unauthorized):
        decode_token(SETTINGS, text, now=NOW)


@given(st.sampled_from("ABCxyz019-_."), st.data())
def test_a_token_with_another_letter_is_none(letter: str, data: st.DataObject) -> None:
    token = encode_token(SETTINGS, CLAIMS)
    place = data.draw(st.integers(0, len(token) - 2))  # the last letter holds bits that mean nothing
    if token[place] != letter:
        with pytest.raises(Unauthorized):
            decode_token(SETTINGS, token[:place] + letter + token[place + 1 :], now=NOW)
