"""Sends hostile requests for every operation of the OpenAPI document to a server of its own.

    python -m bench.fuzz --requests 20000 --seed 1

It fails on an answer of 5xx but 503, on a status that the document does not tell, on a refusal that is no
problem document, on a success that the caller has no right to, on a hang, on an error in the log and on a
worker that died. A seed and a number make the same request again: --only NUMBER sends it alone and shows it.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random

from bench.fuzz_accounts import Accounts, prepare
from bench.fuzz_checks import Fault, check
from bench.hostile_requests import HostileRequest, Requests, with_token
from bench.hostile_wires import make_request
from bench.own_trawl import OwnTrawl, own_trawl
from bench.wire import BadResponse, Hang, Response, exchange
from demo.companions import film_service

AT_ONCE = 8
HANG_SECONDS = 90.0  # a body has 20 s, a read 10 s; and the machine may be busy
SHOWN_FAULTS = 40
SHOWN_BYTES = 1500
RENEWED = ("user", "admin", "key")


@dataclass(slots=True)
class Report:
    """What came of a run."""

    statuses: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    sent: int = 0
    longest: float = 0.0


class Fuzzer:
    """Sends the requests of a seed, some at a time."""

    def __init__(self, trawl: OwnTrawl, requests: Requests, accounts: Accounts, seed: str) -> None:
        self._trawl = trawl
        self._requests = requests
        self._accounts = accounts
        self._seed = seed
        self.report = Report()

    async def run(self, numbers: Iterator[int], seconds: float) -> Report:
        end = time.monotonic() + seconds
        await asyncio.gather(*(self._work(numbers, end) for _ in range(AT_ONCE)))
        return self.report

    async def _work(self, numbers: Iterator[int], end: float) -> None:
        for number in numbers:
            if time.monotonic() > end:
                return
            await self.send(number)

    async def send(self, number: int, *, show: bool = False) -> None:
        """Send a request and note what came of it."""
        request = make_request(self._requests, number)
        begin = time.monotonic()
        try:
            response = await self._exchange(request)
            check(request, response)
        except (Fault, Hang, BadResponse) as fault:
            self.report.faults.append(describe(request, fault))
            response = None
        self.report.sent += 1
        self.report.longest = max(self.report.longest, time.monotonic() - begin)
        self.report.statuses[name_of(response)] += 1
        if request.operation and response and response.status < 400:
            self.report.operations[f"{request.operation.method} {request.operation.path}"] += 1
        if show:
            print(request.data[:SHOWN_BYTES], response, sep="\n")

    async def _exchange(self, request: HostileRequest) -> Response | None:
        """Send it; once more with another token, if its own has ended."""
        token = self._accounts.tokens.get(request.caller, "")
        response = await self._attempt(request)
        if response is None or response.status != 401 or request.caller not in RENEWED:
            return response
        code = json.loads(response.body or b"{}").get("code")
        if code == "bad_token" or request.method == "HEAD":
            await self._accounts.renew(request.caller, token)
            response = await self._attempt(request)
        return response

    async def _attempt(self, request: HostileRequest) -> Response | None:
        random = Random(f"address {self._seed}:{request.index}")
        return await exchange(
            self._trawl.port,
            with_token(request.data, self._accounts.tokens, request.caller),
            source=f"127.0.{random.randint(1, 250)}.{random.randint(1, 250)}",
            method=request.method,
            seconds=HANG_SECONDS,
            end=request.end,
            stream=request.target.partition("?")[0].endswith("/live"),
        )


def name_of(response: Response | None) -> str:
    """Return the status, of a 503 also the code."""
    if response is None:
        return "none"
    if response.status == HTTPStatus.SERVICE_UNAVAILABLE and response.body:
        return f"503 {json.loads(response.body).get('code', '')}"
    return str(response.status)


def describe(request: HostileRequest, fault: Exception) -> str:
    name = f"{request.operation.method} {request.operation.path}" if request.operation else "no operation"
    text = str(fault) or type(fault).__name__
    return (
        f"number {request.index}, {request.caller}, {name}: {text[:400]}\n  {request.method} {request.target}"
    )


async def fuzz(trawl: OwnTrawl, options: argparse.Namespace) -> bool:
    accounts = Accounts(trawl.port)
    _, document = await accounts.call("GET", "/openapi.json")
    requests = Requests(document, await prepare(accounts), options.seed)
    fuzzer = Fuzzer(trawl, requests, accounts, options.seed)
    workers, before = set(trawl.workers()), trawl.memory()
    begin = time.monotonic()
    if options.only is not None:
        await fuzzer.send(options.only, show=True)
    else:
        await fuzzer.run(iter(range(options.requests)), options.seconds)
    report = fuzzer.report
    seconds = time.monotonic() - begin
    print(f"seed {options.seed}: {report.sent} requests in {seconds:.0f} s, longest {report.longest:.1f} s")
    print("statuses:", ", ".join(f"{key}: {count}" for key, count in sorted(report.statuses.items())))
    print(f"{len(report.operations)} operations succeeded at least once; {accounts.renewals} tokens renewed")
    print(f"MB a worker: {megabytes(before)} before, {megabytes(trawl.memory())} after")
    return judge(trawl, report, workers)


def judge(trawl: OwnTrawl, report: Report, workers: set[int]) -> bool:
    """Print the faults; tell whether there are none."""
    problems = [*report.faults[:SHOWN_FAULTS], *trawl.faults()[:SHOWN_FAULTS]]
    if set(trawl.workers()) != workers:
        problems.append(f"workers were {sorted(workers)} and are {sorted(trawl.workers())}")
    print(f"faults: {len(report.faults)}, in the log {len(trawl.faults())}")
    for problem in problems:
        print("-", problem[:3000])
    return not problems


def megabytes(memory: dict[int, int]) -> str:
    return ", ".join(f"{size / 1e6:.0f}" for size in memory.values())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop after so long")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="send this request of the seed alone")
    options = parser.parse_args()
    with film_service() as films, own_trawl(KINOPOISK_URL=films, KINOPOISK_API_KEY="demo") as trawl:
        return 0 if asyncio.run(fuzz(trawl, options)) else 1


if __name__ == "__main__":
    sys.exit(main())
