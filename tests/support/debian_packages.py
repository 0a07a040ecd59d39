"""Programs that tests run for real: the system's, or else Debian's packages, unpacked into a folder."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

TIMEOUT = 60.0  # seconds for a download
PACKAGES = {"nginx": ("nginx",), "logrotate": ("logrotate", "libpopt0")}
SYSTEM = "/usr/sbin:/sbin:/usr/local/sbin"


@dataclass(frozen=True, slots=True)
class Program:
    """A program, and the environment that it needs."""

    path: Path
    environ: dict[str, str]


@cache
def find_program(name: str) -> Program | None:
    """Return a program of the system, or of its packages; None if there is none and none can be had."""
    path = shutil.which(name) or shutil.which(name, path=SYSTEM)
    if path is not None:
        return Program(Path(path), dict(os.environ))
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return None
    folder = Path(tempfile.gettempdir()) / "trawl-test-packages" / name
    if not folder.is_dir() and not unpack(PACKAGES[name], folder):
        return None
    libraries = ":".join(str(path) for path in folder.glob("usr/lib/*-linux-gnu"))
    program = Program(folder / "usr/sbin" / name, os.environ | {"LD_LIBRARY_PATH": libraries})
    return program if runs(program) else None


def unpack(packages: tuple[str, ...], folder: Path) -> bool:
    """Download packages of Debian and unpack them; False if that fails."""
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as download:
        unpacked = Path(download) / "unpacked"
        try:
            subprocess.run(
                ["apt-get", "download", *packages],
                cwd=download,
                timeout=TIMEOUT,
                check=True,
                capture_output=True,
            )
            for package in Path(download).glob("*.deb"):
                subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True, capture_output=True)
            unpacked.rename(folder)
        except (OSError, subprocess.SubprocessError):
            return folder.is_dir()  # another process may have been faster
    return True


def runs(program: Program) -> bool:
    """Return whether the libraries that the program needs are there."""
    try:
        command = subprocess.run([program.path, "-v"], env=program.environ, capture_output=True, check=False)
    except OSError:
        return False
    return command.returncode in (0, 1)


def program_or_skip(name: str) -> Program:
    program = find_program(name)
    if program is None:
        pytest.skip(f"{name} is not installed, and apt-get can't download it")
    return program
