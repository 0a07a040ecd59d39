"""Web servers to write genuine logs: those that are installed, else Debian's packages, unpacked."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

SYSTEM_PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
PATIENCE = 120  # seconds for a download
PACKAGES = {"nginx": ("nginx",), "apache2": ("apache2-bin", "libapr1", "libaprutil1"), "caddy": ("caddy",)}


def find_server(name: str, folder: Path) -> tuple[Path, dict[str, str]]:
    """Return a server's program and its environment; skip the test where there is none.

    :param folder: where packages are unpacked if the server is not installed
    """
    if (installed := shutil.which(name, path=SYSTEM_PATH)) is not None:
        return Path(installed), dict(os.environ)
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg")
    if apt is None or dpkg is None:
        pytest.skip(f"{name} is not installed, and there is no apt-get to get it with")
    command = [apt, "download", *PACKAGES[name]]
    if subprocess.run(command, cwd=folder, capture_output=True, timeout=PATIENCE, check=False).returncode:
        pytest.skip(f"{name} is not installed, and its package can't be downloaded")
    for package in folder.glob("*.deb"):
        subprocess.run([dpkg, "-x", package, folder], capture_output=True, check=True)
    libraries = folder / "usr/lib" / f"{platform.machine()}-linux-gnu"
    [program] = (path for path in (folder / "usr/sbin" / name, folder / "usr/bin" / name) if path.exists())
    return program, dict(os.environ, LD_LIBRARY_PATH=str(libraries))
