"""python -m bench [NAME ...]: run the named benchmarks, or all, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def benchmarks() -> list[str]:
    """The modules of this folder that say what is wanted of them."""
    return sorted(path.stem for path in FOLDER.glob("[!_]*.py") if "(wanted: " in path.read_text())


def main() -> int:
    known = benchmarks()
    asked = sys.argv[1:] or known
    if unknown := set(asked) - set(known):
        print(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    return max(
        subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode for name in asked
    )


if __name__ == "__main__":
    sys.exit(main())
