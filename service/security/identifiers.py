"""Logins and e-mails, compared as people see them: without regard to case or to how letters are encoded."""

import unicodedata

from service.errors import Invalid

MAX_KEY = 1024  # bytes; an index entry holds no more than about 2,700


def fold(name: str) -> str:
    """The form of a login or an e-mail that is unique and looked up."""
    return unicodedata.normalize("NFKC", name).casefold()


def fold_new(name: str, pointer: str) -> str:
    """The same for a name that is about to be stored.

    :raises Invalid: letters that fold to many make it too long
    """
    key = fold(name)
    if len(key.encode()) > MAX_KEY:
        raise Invalid(f"{pointer[1:]}: is too long", errors=[(pointer, "is too long")])
    return key
