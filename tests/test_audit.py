"""`make audit`: a vulnerability fails it, a source that can't be reached does not. pip-audit is played."""

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import PROJECT

GOOD = {"name": "orjson", "version": "3.13", "vulns": []}
BAD = {"name": "idna", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.7"]}]}
UNKNOWN = {"name": "trawl", "skip_reason": "not found"}


def audit(folder: Path, **answers: list[dict[str, Any]] | str) -> int:
    """Run the audit with what pip-audit answers by source: packages, or the last line of an error."""
    program = folder / "pip-audit"
    program.write_text(f"""#!{sys.executable}
import json, sys
options = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
answer = json.loads({json.dumps(answers)!r})[options["--vulnerability-service"]]
if isinstance(answer, str):
    sys.exit(answer)
print(json.dumps({{"dependencies": answer, "fixes": []}}))
""")
    program.chmod(0o755)
    code: int = runpy.run_path(str(PROJECT / ".ci" / "audit.py"))["main"](str(program))
    return code


def test_a_vulnerability_fails_with_its_name_and_what_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(tmp_path, osv=[GOOD, BAD, UNKNOWN]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "idna 2.0: PYSEC-1, mended in 3.7",
        "audit: 2 packages, 1 vulnerabilities by osv; unknown there: trawl",
    ]


@pytest.mark.parametrize("first", ["ConnectionError: no route", [UNKNOWN]])
def test_the_second_source_is_asked_where_the_first_knows_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], first: list[dict[str, Any]] | str
) -> None:
    assert audit(tmp_path, osv=first, pypi=[GOOD]) == 0
    assert capsys.readouterr().out == "audit: 1 packages, 0 vulnerabilities by pypi\n"


def test_an_audit_without_a_source_says_so_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(tmp_path, osv="Traceback\nConnectionError: no route", pypi=[UNKNOWN, UNKNOWN]) == 0
    assert capsys.readouterr().out == (
        "audit: no source of advisories can be reached, so nothing was audited"
        " (osv: ConnectionError: no route; pypi: knows none of the packages)\n"
    )
