"""The secret that tokens are signed with, where none is set: made once, kept in the data directory."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from config.schema import MIN_SECRET_BYTES
from config.settings import SettingsError


def load_secret(data_dir: Path) -> str:
    """The secret in `data_dir`, made there once; only its owner can read it.

    Raises OSError, and SettingsError for a file that is cut short, as a full disk leaves it.
    """
    path = data_dir / "secret"
    data_dir.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"secret.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        # A link, unlike a rename, does not replace the secret of somebody who was faster.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    secret = path.read_text(encoding="ascii", errors="replace")
    if len(secret) < MIN_SECRET_BYTES:
        raise SettingsError(f"{path} is cut short; delete it for a new secret, which ends all tokens")
    return secret
