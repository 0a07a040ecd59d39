import asyncio
import base64
import hashlib
import os
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.threads import LOW_PRIORITY
from service.errors import Invalid
from service.security.identifiers import fold
from service.security.passwords import (
    Hasher,
    check_new_password,
    common_passwords,
    encode_base64,
    is_common,
    parse_phc,
)

SALT = bytes(range(16))


async def test_a_hash_is_the_phc_string_of_scrypt() -> None:
    phc = await Hasher().hash("correct horse", salt=SALT)
    _, name, parameters, salt, key = phc.split("$")
    assert (name, parameters) == ("scrypt", "ln=15,r=8,p=3")
    assert base64.b64decode(salt + "==") == SALT
    expected = hashlib.scrypt(b"correct horse", salt=SALT, n=2**15, r=8, p=3, maxmem=2**26, dklen=32)
    assert base64.b64decode(key + "=") == expected


async def test_only_the_password_fits_its_hash() -> None:
    hasher = Hasher(log_n=4)
    phc = await hasher.hash("correct horse", salt=SALT)
    assert await hasher.verify("correct horse", phc)
    assert not await hasher.verify("correct horsf", phc)
    assert not await hasher.verify("", phc)
    assert not await hasher.verify("correct horse", None)


async def test_a_password_is_the_same_however_its_letters_are_encoded() -> None:
    hasher = Hasher(log_n=4)
    assert await hasher.verify("cafe\u0301", await hasher.hash("caf\u00e9", salt=SALT))


async def test_a_hash_of_lower_cost_is_outdated_and_still_fits() -> None:
    old = await Hasher(log_n=3).hash("correct horse", salt=SALT)
    hasher = Hasher(log_n=4)
    assert hasher.is_outdated(old)
    assert await hasher.verify("correct horse", old)
    assert not hasher.is_outdated(await hasher.hash("correct horse", salt=SALT))


async def test_hashing_leaves_the_loop_free() -> None:
    hashing = asyncio.create_task(Hasher().hash("correct horse", salt=SALT))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100  # of the loop; there would be a handful if it stood still meanwhile


async def test_an_unknown_user_takes_as_long_as_a_wrong_password() -> None:
    hasher = Hasher(log_n=12)
    correct = await hasher.hash("correct horse", salt=SALT)

    async def best(phc: str | None) -> float:
        times = []
        for _ in range(5):
            start = time.process_time()  # of all threads; what else the machine does, does not count
            await hasher.verify("wrong", phc)
            times.append(time.process_time() - start)
        return min(times)

    wrong_password, unknown_user = await best(correct), await best(None)
    assert wrong_password / 2 < unknown_user < wrong_password * 2


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_phc_strings_are_read_as_written(salt: bytes, key: bytes) -> None:
    assert parse_phc(f"$scrypt$ln=15,r=8,p=3${encode_base64(salt)}${encode_base64(key)}") == (
        15,
        8,
        3,
        salt,
        key,
    )


@pytest.mark.parametrize(
    "password", ["password1", "PassWord1", "12345678", "1q2w3e4r", "iloveyou", "michelle1"]
)
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_new_password(password, login="anna")
    [(pointer, detail)] = refusal.value.errors
    assert pointer == "/password"
    assert password not in detail


@pytest.mark.parametrize("password", ["a good password", "8 chars!", "пароль-и-слово"])
def test_other_passwords_are_taken(password: str) -> None:
    check_new_password(password, login="anna")


@pytest.mark.parametrize("login", ["Straße-42", "anna@shop.example"])
def test_the_login_is_refused_as_a_password_in_any_letter_case(login: str) -> None:
    for password in (login, login.upper(), login.lower(), login.title(), login.swapcase()):
        with pytest.raises(Invalid, match="is the login"):
            check_new_password(password, login=login)
    check_new_password(f"{login} and more", login=login)


def test_ten_thousand_common_passwords_are_refused() -> None:
    passwords = common_passwords().split()
    assert len(set(passwords)) > 10_000
    assert all(password == fold(password) for password in passwords)
    for password in passwords:
        with pytest.raises(Invalid, match="most common"):
            check_new_password(password.upper() if password.isascii() else password, login="the login")


@pytest.mark.parametrize("password", ["12345678\n123456789", "\npassword\n", "assword\n", "", "\n"])
def test_lines_of_the_list_together_are_no_common_password(password: str) -> None:
    assert not is_common(password)


async def test_threads_of_sign_ups_leave_the_cores_to_others() -> None:
    hasher = Hasher(log_n=4)
    await hasher.hash("correct horse", salt=SALT, is_sign_up=True)
    await hasher.hash("correct horse", salt=SALT)
    [sign_up] = {niceness(thread) for thread in hasher.sign_up_threads._threads}
    [sign_in] = {niceness(thread) for thread in hasher.sign_in_threads._threads}
    usual = niceness(threading.main_thread())
    assert (sign_up, sign_in) == (max(usual, LOW_PRIORITY), usual)


def niceness(thread: threading.Thread) -> int:
    assert thread.native_id is not None
    return os.getpriority(os.PRIO_PROCESS, thread.native_id)
