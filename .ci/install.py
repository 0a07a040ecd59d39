"""Installs the packages of a lock file with pip, and says how far it is: python .ci/install.py LOCK.

On a failure it prints one line that says what to do, and ends with 1; after Ctrl-C with 130.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections import deque
from pathlib import Path

PIP = ("-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "--no-deps", "--no-color")
PATIENCE = ("--progress-bar=off", "--retries=2", "--timeout=15")
PACKAGE = ("Collecting ", "Processing ", "Ignoring ", "Requirement already satisfied")  # how pip begins one
STEP = 10  # packages after which a line is printed where there is no terminal
NO_NETWORK = (
    "the packages can't be downloaded: is there a network? "
    "Behind a proxy set HTTPS_PROXY, with a mirror PIP_INDEX_URL; then run it again"
)
CAUSES = (
    (
        r"No space left",
        "the disk is full; the packages need about 600 MB in .venv and some for pip's downloads",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "a package is not the one of the lock file: its hash differs; do not use it",
    ),
    (
        r"NewConnection|ConnectTimeout|ReadTimeout|name resolution|unreachable|refused|ProxyError|SSLError",
        NO_NETWORK,
    ),
)


INTERRUPTED = 130  # as a shell has it


def main(lock: str) -> int:
    """Install a lock file's packages. Return the exit code."""
    try:
        remove_unfinished(Path(sysconfig.get_path("purelib")))
        return install(lock)
    except KeyboardInterrupt:
        print("\ntrawl: interrupted; run it again, and it goes on", file=sys.stderr)
        return INTERRUPTED


def remove_unfinished(packages: Path) -> None:
    """Have pip install anew what it was unpacking when it was interrupted: INSTALLER is written last."""
    for folder in packages.glob("*.dist-info"):
        if not (folder / "INSTALLER").exists():
            shutil.rmtree(folder)


def install(lock: str) -> int:
    """Run pip, and show how far it is. Return the exit code."""
    total = len(re.findall(r"^[\w.\[\]-]+==", Path(lock).read_text(), re.MULTILINE))
    command = [sys.executable, *PIP, *PATIENCE, f"--requirement={lock}"]
    lines: deque[str] = deque(maxlen=200)
    count = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        try:
            for line in pip.stdout or ():
                lines.append(line.rstrip())
                if line.startswith(PACKAGE):
                    count += 1
                    show(f"  {count} of about {total} packages", is_step=count % STEP == 0)
                elif line.startswith("Installing collected packages"):
                    show("  unpacking them, which takes as long again", is_step=True)
        except KeyboardInterrupt:
            pip.terminate()  # a terminal's Ctrl-C has reached it too, another's signal has not
            raise
    if sys.stdout.isatty():
        print()
    if pip.returncode:
        print(f"trawl: {cause_of(lines)}", file=sys.stderr)
    return 1 if pip.returncode else 0


def show(text: str, *, is_step: bool) -> None:
    """Show progress: always in place on a terminal, else only each step as a line."""
    if sys.stdout.isatty():
        print(f"\r{text:<50}", end="", flush=True)
    elif is_step:
        print(text, flush=True)


def cause_of(lines: deque[str]) -> str:
    """Return why pip failed, in one line."""
    text = "\n".join(lines)
    for pattern, advice in CAUSES:
        if re.search(pattern, text):
            return advice
    errors = [line for line in lines if line.startswith("ERROR")] or [*lines] or ["pip says nothing"]
    return f"pip fails: {errors[-1]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
