"""Finds the system's Chromium, by which pages are shown and photographed."""

import os
import shutil

# The shell is Chromium without its windows: a page takes half the CPU.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """Return the program that CHROMIUM names, else the first that there is."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
