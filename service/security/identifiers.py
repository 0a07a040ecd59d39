"""Logins and e-mails, compared as people see them: without regard to case or to how letters are encoded."""

import unicodedata

from service.errors import Invalid

LOCAL = "local"  # the client of the command line, and of whoever comes through a socket file
MAX_FOLDED = 1024  # bytes; an index entry holds no more than about 2,700


def fold(name: str) -> str:
    """Return the form of a login or an e-mail by which it is unique and looked up."""
    return unicodedata.normalize("NFKC", name).casefold()


def fold_to_store(name: str, pointer: str) -> str:
    """Fold a login or an e-mail that is about to be stored. `pointer` names it in the error.

    :raises Invalid: it holds letters that fold to many, and is too long for the index
    """
    key = fold(name)
    if len(key.encode()) > MAX_FOLDED:
        raise Invalid(f"{pointer[1:]}: is too long", errors=[(pointer, "is too long")])
    return key
