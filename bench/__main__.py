"""Run the named benchmarks, or all of them, each in its own process."""

import argparse
import subprocess
import sys

BENCHMARKS = (
    "attacks",
    "authenticated_get",
    "events_ingest",
    "events_pages",
    "exports",
    "hanging_films",
    "import_speed",
    "recovery",
    "reports",
    "single_visit",
    "site_crowd",
    "site_views",
    "visit_lists",
    "visit_merges",
    "visit_statistics",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}")
    names = parser.parse_args().names or BENCHMARKS
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    return max(
        subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode for name in names
    )


if __name__ == "__main__":
    sys.exit(main())
