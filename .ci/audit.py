"""Looks the locked packages up in a source of advisories, with pip-audit.

Exit code 1 if one has a known vulnerability. Without a source that can be reached it says so and ends with 0.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SOURCES = ("osv", "pypi")
LOCK = "requirements-dev.lock"  # what the server needs, and what tests need


def main(program: str) -> int:
    """Print what the first source that knows the packages tells. Return the exit code."""
    causes = []
    for source in SOURCES:
        command = [program, f"--requirement={LOCK}", "--disable-pip", f"--vulnerability-service={source}"]
        command += ["--format=json", "--progress-spinner=off"]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        packages = read_report(process.stdout)
        if any("vulns" in package for package in packages):
            return print_report(source, packages)
        lines = process.stderr.strip().splitlines() or [f"exit code {process.returncode}"]
        causes.append(f"{source}: {'knows none of the packages' if packages else lines[-1][:100]}")
    print(f"audit: no source of advisories can be reached, so nothing was audited ({'; '.join(causes)})")
    return 0


def read_report(text: str) -> list[dict[str, Any]]:
    """Return the packages of a report; none if the text is not a report."""
    try:
        packages: list[dict[str, Any]] = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return []
    return packages


def print_report(source: str, packages: list[dict[str, Any]]) -> int:
    skipped = sorted(package["name"] for package in packages if "vulns" not in package)
    advisories = [(package, each) for package in packages for each in package.get("vulns", ())]
    for package, advisory in advisories:
        fixed = ", ".join(advisory["fix_versions"]) or "no version"
        print(f"{package['name']} {package['version']}: {advisory['id']}, mended in {fixed}")
    rest = f"; unknown there: {', '.join(skipped)}" if skipped else ""
    print(
        f"audit: {len(packages) - len(skipped)} packages, {len(advisories)} vulnerabilities by {source}{rest}"
    )
    return 1 if advisories else 0


if __name__ == "__main__":
    sys.exit(main(str(Path(sys.executable).with_name("pip-audit"))))
