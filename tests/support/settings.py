"""Reads settings from names and values alone."""

from pathlib import Path

import pytest

from config import Settings, SettingsError, read_settings

NO_FILE = Path("no-such.env")


def read(**environ: str) -> Settings:
    return read_settings(environ, NO_FILE)


def refusal(**environ: str) -> str:
    """Return the message of the error that these settings are refused with."""
    with pytest.raises(SettingsError) as caught:
        read(**environ)
    return str(caught.value)
