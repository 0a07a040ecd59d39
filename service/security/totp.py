"""Codes of a second factor: TOTP (RFC 6238) as every app computes it, and recovery codes."""

import base64
import hashlib
import hmac
import unicodedata
from datetime import datetime

import pyotp
import segno

SECRET_BYTES = 20  # as RFC 4226 recommends; 32 letters of base32
ISSUER = "Trawl"
WINDOW = 1  # steps that a clock may be behind or ahead
DIGITS = 6
RECOVERY_CODES = 10
RECOVERY_CODE_BYTES = 10  # 16 letters of base32: so many random bits need no slow hash
RECOVERY_PURPOSE = b"trawl recovery code "
MISREAD = str.maketrans("0189", "OIBG")  # base32 has none of these digits


def encode_secret(secret: bytes) -> str:
    """Return a secret as people type it into an app."""
    return base64.b32encode(secret).decode()


def write_uri(secret: bytes, login: str) -> str:
    """Return the `otpauth:` URI of a secret, which apps read as a QR code."""
    return pyotp.TOTP(encode_secret(secret), name=login, issuer=ISSUER).provisioning_uri()


def draw_qr_code(uri: str) -> list[str]:
    """Return the rows of a URI's QR code, a character a module: 1 is dark. It has no blank border yet."""
    return ["".join(map(str, row)) for row in segno.make_qr(uri, error="m").matrix]


def find_step(secret: bytes, code: str, at: datetime, *, after: int) -> int | None:
    """Return the step whose code this is, near a moment and after the step of the last code; else None."""
    totp = pyotp.TOTP(encode_secret(secret), digits=DIGITS)
    now = totp.timecode(at)
    for step in range(max(now - WINDOW, after + 1), now + WINDOW + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            return step
    return None


def normalize_code(text: str) -> str:
    """Return a code without the blanks and hyphens that people type."""
    letters = unicodedata.normalize("NFKC", text).upper()
    return "".join(letter for letter in letters if not letter.isspace() and letter != "-")


def is_app_code(code: str) -> bool:
    """Return whether a normalized code has the form of an app's; else it may be a recovery code."""
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def write_recovery_codes(entropy: bytes) -> list[str]:
    """Return ten recovery codes, such as `abcd-efgh-ijkl-mnop`, of 100 random bytes."""
    pieces = [entropy[i * RECOVERY_CODE_BYTES :][:RECOVERY_CODE_BYTES] for i in range(RECOVERY_CODES)]
    texts = [base64.b32encode(piece).decode().lower() for piece in pieces]
    return ["-".join(text[i : i + 4] for i in range(0, len(text), 4)) for text in texts]


def digest_recovery_code(account_id: int, code: str) -> bytes:
    """Return what is stored of a recovery code of an account."""
    letters = normalize_code(code).translate(MISREAD)
    return hashlib.sha256(RECOVERY_PURPOSE + f"{account_id} {letters}".encode()).digest()
