"""Import of a log of web servers in each format, beside the shop's log and GoAccess in the same run.

    python -m bench.format_speed [--lines N] [--rounds N] [FORM ...]

The requests are the same in all formats (server_log.py); each log goes into a new embedded PostgreSQL. CPU is
that of the importer and of PostgreSQL, GoAccess's that of its process.
"""

import argparse
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.import_speed import ImportCost, cpu_of_children, run_import
from bench.results import write_results
from bench.server_formats import CUSTOM, FORMS
from bench.server_log import generate
from bench.shop_log import generate as generate_shop
from embedded import open_servers

LINES = 200_000
GOACCESS_FORMS = {
    "common": "COMMON",
    "combined": "COMBINED",
    "vhost_combined": "VCOMBINED",
    "caddy_json": "CADDY",
}
DECLARED = {"log_format": CUSTOM}


class Seconds(NamedTuple):
    wall: float
    cpu: float


def run_goaccess(log: Path, form: str) -> Seconds | None:
    """Return what GoAccess needs to count the log; None where it is not installed or can't read it."""
    goaccess = shutil.which("goaccess")
    if goaccess is None or form not in GOACCESS_FORMS:
        return None
    begin, cpu = time.perf_counter(), cpu_of_children()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        subprocess.run(
            [
                *(goaccess, str(log), f"--log-format={GOACCESS_FORMS[form]}", "--no-global-config"),
                *("-o", str(report), "--no-progress"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        seconds = Seconds(time.perf_counter() - begin, cpu_of_children() - cpu)
        valid = re.search(r'"valid_requests": (\d+)', report.read_text())
    assert valid is not None
    return seconds


def import_anew(log: Path, declared: str | None) -> ImportCost:
    """Import a log into a database of its own."""
    with tempfile.TemporaryDirectory(prefix="trawl-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with open_servers(folder, postgres=True, valkey=False) as servers:
            return run_import(str(servers.postgres_url), log, folder, declared=declared)


def write_log(path: Path, form: str, lines: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(generate_shop(lines, 1) if form == "shop" else generate(lines, 1, form))
    path.read_bytes()  # into the page cache


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.format_speed")
    parser.add_argument("forms", nargs="*", default=["shop", *FORMS])
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    ours: dict[str, list[ImportCost]] = {}
    theirs: dict[str, list[Seconds]] = {}
    with tempfile.TemporaryDirectory(prefix="trawl-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for form in arguments.forms:
            write_log(folder / form, form, arguments.lines)
        for _ in range(arguments.rounds):
            for form in arguments.forms:
                ours.setdefault(form, []).append(import_anew(folder / form, DECLARED.get(form)))
                counted = run_goaccess(folder / form, form)
                if counted is not None:
                    theirs.setdefault(form, []).append(counted)
    write_results(
        f"Import of {arguments.lines:,} lines of web servers",
        ("format", "lines/s", "of the shop's", "CPU s a million", "MB above idle", "wall", "CPU"),
        [make_row(form, arguments.lines, ours, theirs) for form in arguments.forms],
    )
    print(f"load {os.getloadavg()[0]:.1f}")


def make_row(
    form: str, lines: int, ours: dict[str, list[ImportCost]], theirs: dict[str, list[Seconds]]
) -> tuple[str, ...]:
    """Return medians: of lines a second, CPU, memory, and beside GoAccess in the same round."""
    costs, counted = ours[form], theirs.get(form)
    seconds = median(cost.seconds for cost in costs)
    pairs = list(zip(costs, counted, strict=True)) if counted else []
    shop = [b.seconds / a.seconds for a, b in zip(costs, ours.get("shop", []), strict=False)]
    return (
        form,
        f"{lines / seconds:,.0f}",
        f"{median(shop):.2f}" if shop else "",
        f"{median(cost.cost.cpu for cost in costs) / lines * 1e6:.2f}",
        f"{median(cost.megabytes for cost in costs):.0f}",
        f"{median(b.wall / a.seconds for a, b in pairs):.2f} x GoAccess" if pairs else "",
        f"{median(a.cost.cpu / b.cpu for a, b in pairs):.2f} x GoAccess" if pairs else "",
    )


if __name__ == "__main__":
    main()
