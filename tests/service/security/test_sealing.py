import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.security.sealing import NONCE_BYTES, Sealer, sealer_of
from service.security.tokens import TokenSettings

OLD, NEW = "a secret of 32 bytes, or some more", "another secret, which is long enough"
NONCE = bytes(range(NONCE_BYTES))
MINE, OTHERS = b"totp 1", b"totp 2"


def seal(sealer: Sealer, plaintext: bytes = b"the secret") -> bytes:
    return sealer.seal(plaintext, context=MINE, nonce=NONCE)


@given(st.binary(max_size=100))
def test_what_is_sealed_is_read_again_and_does_not_show(plaintext: bytes) -> None:
    sealer = sealer_of(TokenSettings(OLD))
    sealed = seal(sealer, plaintext)
    assert sealer.unseal(sealed, key_id=sealer.key_id, context=MINE) == plaintext
    assert len(plaintext) < 4 or plaintext not in sealed


def test_what_was_changed_or_moved_is_not_read() -> None:
    sealer = sealer_of(TokenSettings(OLD))
    sealed = seal(sealer)
    assert sealer.unseal(sealed, key_id=sealer.key_id, context=OTHERS) is None
    for changed in (b"", sealed[:5], sealed[:-1], sealed + b"\0", b"\1" + sealed[1:], sealed[:-1] + b"\0"):
        assert sealer.unseal(changed, key_id=sealer.key_id, context=MINE) is None


def test_the_previous_secret_reads_and_the_present_one_writes() -> None:
    old, new = sealer_of(TokenSettings(OLD)), sealer_of(TokenSettings(NEW))
    both = sealer_of(TokenSettings(NEW, previous_secret=OLD))
    assert both.unseal(seal(old), key_id=old.key_id, context=MINE) == b"the secret"
    assert both.key_id == new.key_id != old.key_id
    assert new.unseal(seal(both), key_id=both.key_id, context=MINE) == b"the secret"
    assert new.unseal(seal(old), key_id=old.key_id, context=MINE) is None
    assert old.unseal(seal(new), key_id=new.key_id, context=MINE) is None


@pytest.mark.parametrize("text", [repr(sealer_of(TokenSettings(OLD))), str(sealer_of(TokenSettings(OLD)))])
def test_a_key_is_not_shown(text: str) -> None:
    key = sealer_of(TokenSettings(OLD)).keys[0].key
    assert OLD not in text
    assert repr(key) not in text
