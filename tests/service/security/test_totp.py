import base64
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.security.totp import (
    digest_recovery_code,
    encode_secret,
    find_step,
    is_app_code,
    normalize_code,
    write_recovery_codes,
    write_uri,
)

SECRET = b"12345678901234567890"  # of RFC 6238, appendix B
ENTROPY = bytes(range(100))


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert find_step(SECRET, code, at, after=0) == seconds // 30


@pytest.mark.parametrize(("off", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(off: int, fits: bool) -> None:
    at = datetime(2026, 11, 29, 21, 0, 29, tzinfo=UTC)
    code = pyotp.TOTP(encode_secret(SECRET)).at(at + timedelta(seconds=30 * off))
    step = int(at.timestamp()) // 30 + off
    assert find_step(SECRET, code, at, after=0) == (step if fits else None)
    assert find_step(SECRET, code, at, after=step) is None


@given(st.text(max_size=30))
def test_any_text_is_a_code_or_none(text: str) -> None:
    code = normalize_code(text)
    at = datetime(2026, 11, 29, tzinfo=UTC)
    if not is_app_code(code):
        assert find_step(SECRET, code, at, after=0) is None
    assert len(digest_recovery_code(1, text)) == 32


def test_an_app_reads_the_uri() -> None:
    totp = pyotp.parse_uri(write_uri(SECRET, "anna+shop@example.com"))
    assert isinstance(totp, pyotp.TOTP)
    assert base64.b32decode(totp.secret) == SECRET
    assert (totp.name, totp.issuer, totp.digits, totp.interval) == ("anna+shop@example.com", "Trawl", 6, 30)


def test_recovery_codes_are_ten_of_80_bits() -> None:
    codes = write_recovery_codes(ENTROPY)
    assert len(set(codes)) == 10
    assert b"".join(base64.b32decode(normalize_code(code)) for code in codes) == ENTROPY
    assert all(len(code) == 19 for code in codes)


def test_a_recovery_code_is_the_same_however_it_is_typed_and_another_accounts_is_not() -> None:
    digest = digest_recovery_code(7, "obig-2345-6722-abcd")
    for typed in ("OBIG23456722ABCD", " obig 2345 6722 abcd ", "0819-2345-6722-a8cd", "0BIG2345-6722ABCD"):
        assert digest_recovery_code(7, typed) == digest
    assert digest_recovery_code(7, "obig-2345-6722-abce") != digest
    assert digest_recovery_code(8, "obig-2345-6722-abcd") != digest
