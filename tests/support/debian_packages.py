"""Programs that tests run for real: the system's, or else Debian's package, unpacked into a folder of its own."""

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

TIMEOUT = 60.0  # seconds for a download


@cache
def find_program(name: str) -> Path | None:
    """Return where a program is, of the package of its name; None if there is none and none can be had."""
    for folder in (None, "/usr/sbin:/sbin:/usr/local/sbin"):
        if found := shutil.which(name, path=folder):
            return Path(found)
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return None
    folder = Path(tempfile.gettempdir()) / "trawl-test-packages" / name
    if not folder.is_dir() and not unpack(name, folder):
        return None
    return next((path for path in folder.glob(f"usr/sbin/{name}") if runs(path)), None)


def unpack(name: str, folder: Path) -> bool:
    """Download a package of Debian and unpack it; False if that fails."""
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as download:
        try:
            subprocess.run(
                ["apt-get", "download", name], cwd=download, timeout=TIMEOUT, check=True, capture_output=True
            )
            [package] = Path(download).glob("*.deb")
            unpacked = Path(download) / "unpacked"
            subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True, capture_output=True)
            unpacked.rename(folder)
        except (OSError, subprocess.SubprocessError, ValueError):
            return folder.is_dir()  # another process may have been faster
    return True


def runs(path: Path) -> bool:
    """Return whether the libraries that the program needs are there."""
    try:
        return subprocess.run([path, "-v"], capture_output=True, check=False).returncode in (0, 1)
    except OSError:
        return False


def program_or_skip(name: str) -> Path:
    program = find_program(name)
    if program is None:
        pytest.skip(f"{name} is not installed, and apt-get can't download it")
    return program
