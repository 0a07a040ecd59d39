"""Runs schemathesis in all its phases against a server of its own, as a user and as an admin.

    python -m bench.openapi_fuzz --examples 20 --seconds 600 --seed 1

It fails on what schemathesis calls a failure, on an error in the log, and on a worker that died. It leaves
out what ends its own account, which bench/fuzz.py sends, and the endless stream.
"""

import argparse
import asyncio
import os
import subprocess
import sys
from pathlib import Path

from bench.fuzz_accounts import Accounts, prepare
from bench.own_trawl import OwnTrawl, own_trawl
from demo.companions import film_service
from tests.support.command_line import PROJECT
from transport.routing import PREFIX

PHASES = "examples,coverage,fuzzing,stateful"
EXCLUDED = {
    "delete_profile": "ends the account",
    "update_profile": "changes the password",
    "delete_user": "ends the account",
    "sign_out": "ends the token",
    "auth_logout": "ends the token",
    "end_session": "ends the token",
    "end_user_session": "ends the token, of the admin whose number is guessed",
    "end_user_sessions": "ends the token, of the admin whose number is guessed",
    "admin_update_user": "makes the account one of another role",
    "watch_live": "does not end",
}
HANG_SECONDS = 90
# A 503 may be documented, such as films that have no turn. A schema can not tell all rules (a cursor is one
# that a list gave, `from` is before `to`), and bulk routes answer 200 with a verdict for each item, so two
# checks do not fit. What pages of other origins tell is answered with 202 whatever it is. An upload without a
# body is that of an empty log. An import that is undone is no longer there to undo, and its record stays.
CONFIGURATION = """\
[checks]
not_a_server_error = { expected-statuses = ["2xx", "3xx", "4xx", 503] }
positive_data_acceptance = { enabled = false }

[[operations]]
include-operation-id = ["create_events", "record_visits", "upload_log", "collect_view", "get_pixel"]
checks.negative_data_rejection = { enabled = false }

[[operations]]
include-operation-id = ["delete_import", "get_import", "list_rejects"]
checks.use_after_free = { enabled = false }
"""


def operation_ids(document: dict[str, dict[str, dict[str, dict[str, str]]]]) -> set[str]:
    return {
        operation["operationId"] for methods in document["paths"].values() for operation in methods.values()
    }


def run(trawl: OwnTrawl, token: str, options: argparse.Namespace) -> bool:
    """Run schemathesis with a token; tells whether it is content."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{trawl.url}{PREFIX}/openapi.json",
        f"--header=Authorization: Bearer {token}",
        f"--phases={PHASES}",
        f"--max-examples={options.examples}",
        f"--max-time={options.seconds}",
        f"--request-timeout={HANG_SECONDS}",
        f"--seed={options.seed}",
        "--no-color",
        "--continue-on-failure",
        "--generation-database=none",
        "--suppress-health-check=all",
        *(f"--exclude-operation-id={name}" for name in EXCLUDED),
    ]
    (trawl.folder / "schemathesis.toml").write_text(CONFIGURATION)
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "SCHEMATHESIS_HOOKS": "bench.openapi_fuzz_hooks"}
    return subprocess.run(command, cwd=trawl.folder, env=environment, check=False).returncode == 0


async def tokens(trawl: OwnTrawl) -> dict[str, str]:
    accounts = Accounts(trawl.port)
    await prepare(accounts)
    _, document = await accounts.call("GET", "/openapi.json")
    assert operation_ids(document) >= set(EXCLUDED), sorted(set(EXCLUDED) - operation_ids(document))
    return accounts.tokens


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.openapi_fuzz", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--examples", type=int, default=50, help="requests of an operation, at most")
    parser.add_argument("--seconds", type=int, default=600, help="for each of the two")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--callers", nargs="*", default=["user", "admin"], choices=["user", "admin", "key"])
    options = parser.parse_args()
    with film_service() as films, own_trawl(KINOPOISK_URL=films, KINOPOISK_API_KEY="demo") as trawl:
        workers = trawl.workers()
        callers = asyncio.run(tokens(trawl))
        contents = [run(trawl, callers[caller], options) for caller in options.callers]
        faults = trawl.faults()
        print(f"faults in the log: {len(faults)}", *faults[:20], sep="\n- ")
        return 0 if all(contents) and not faults and trawl.workers() == workers else 1


if __name__ == "__main__":
    sys.exit(main())
