"""The secret that signs tokens, where SECRET is not set: made once, in the data directory."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from config.schema import MIN_SECRET_BYTES
from config.settings import SettingsError


def load_secret(data_dir: Path) -> str:
    """Return the secret in `data_dir`, which is made if there is none; only its owner can read it.

    :raises SettingsError: the file can't be read or made, or is cut short, as a full disk leaves it
    """
    path = data_dir / "secret"
    try:
        secret = read_or_make(path)
    except OSError as error:
        where = error.filename or path
        raise SettingsError(
            f"DATA_DIR {data_dir} can't be used: {where}: {error.strerror}; mend that, or set another"
        ) from None
    if len(secret) < MIN_SECRET_BYTES:
        raise SettingsError(f"{path} is cut short; delete it for a new secret, which ends all tokens")
    return secret


def read_or_make(path: Path) -> str:
    """Return the secret in a file; make one if there is none, once for all processes that start together."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"secret.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        # A link, unlike a rename, does not replace the secret of a process that was faster.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text(encoding="ascii", errors="replace")
