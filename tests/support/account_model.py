"""An account that several clients use at once, and a naive model of which of its tokens live.

A round is a few actions at once. What each answered tells what must be dead after it: nothing may live on
that an action has ended, however the two met.
"""

import asyncio
import hashlib
import random
import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from db.database import Database
from tests.support.command_line import PASSWORD
from tests.support.two_workers import BUSY, TwoWorkers, Visitor

REUSE = 10.0  # seconds within which a refresh token may be sent again
BACKDATE = text("UPDATE refresh_token SET used_at = used_at - interval '11 s' WHERE token_sha256 = :digest")
REFUSALS = {401, 403, 422}
ACTIONS = ("refresh",) * 6 + ("key", "key", "sign in", "logout", "logout all", "password", "reset", "steal")


@dataclass(eq=False)
class Family:
    """The pairs of one sign-in, and whether they live; None where either order of two actions is right."""

    pairs: list[Any]
    lives: bool | None = True

    @property
    def access_tokens(self) -> list[str]:
        return [pair["access_token"] for pair in self.pairs]


@dataclass(eq=False)
class Key:
    token: str
    maker: Family
    lives: bool | None = True


@dataclass(frozen=True)
class Outcome:
    action: str
    family: Family
    status: int
    body: Any
    password: str = ""


@dataclass
class Account:
    site: TwoWorkers
    visitor: Visitor
    db: Database
    chance: random.Random
    login: str
    id: int = 0
    password: str = PASSWORD
    families: list[Family] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)

    async def create(self) -> None:
        new = {"login": self.login, "password": PASSWORD}
        self.id = (await self.visitor.expect(201, "POST", "/register", new))["id"]
        self.families = [Family([await self.visitor.sign_in(self.login)]) for _ in range(2)]

    async def play_round(self) -> None:
        """Do a few actions at once, and then look at every token."""
        living = [family for family in self.families if family.lives]
        if not living:
            living = [Family([await self.visitor.sign_in(self.login, self.password)])]
            self.families += living
        path = f"/admin/users/{self.id}/password-reset"
        reset = (await self.visitor.expect(201, "POST", path, token=self.site.admin_token))["token"]
        start = time.monotonic()
        actions = [self.chance.choice(ACTIONS) for _ in range(self.chance.randint(2, 5))]
        outcomes = await asyncio.gather(
            *(self.act(action, self.chance.choice(living), reset) for action in actions)
        )
        self.apply(outcomes, slow=time.monotonic() - start > REUSE - 1)
        await self.check()

    async def act(self, action: str, family: Family, reset: str) -> Outcome:
        pair, send = family.pairs[-1], self.visitor.send
        token, password = pair["access_token"], f"battery of {self.chance.getrandbits(64)}"
        if action == "steal" and len(family.pairs) > 1:
            return await self.steal(family)
        answer = await {
            "refresh": lambda: self.visitor.refresh(pair["refresh_token"]),
            "steal": lambda: self.visitor.refresh(pair["refresh_token"]),
            "key": lambda: send("POST", "/keys", {"name": "k", "scopes": ["profile:read"]}, token),
            "sign in": lambda: send("POST", "/login", {"login": self.login, "password": self.password}),
            "logout": lambda: send("POST", "/logout", token=token),
            "logout all": lambda: send("POST", "/logout?all=true", token=token),
            "password": lambda: send("PATCH", "/profile", {"password": password}, token),
            "reset": lambda: send("POST", "/password/reset", {"token": reset, "password": password}),
        }[action]()
        return Outcome("refresh" if action == "steal" else action, family, *answer, password)

    async def steal(self, family: Family) -> Outcome:
        """Send a refresh token that was used 11 s ago and more."""
        used = self.chance.choice(family.pairs[:-1])["refresh_token"]
        async with self.db.transaction() as session:
            await session.execute(BACKDATE, {"digest": hashlib.sha256(used.encode()).digest()})
        return Outcome("steal", family, *await self.visitor.refresh(used))

    def apply(self, outcomes: list[Outcome], *, slow: bool) -> None:
        """Note what the actions of a round have made, and what they must have ended."""
        if any(outcome.status == BUSY for outcome in outcomes):
            self.stop_counting()
            return
        assert {outcome.status for outcome in outcomes} <= {200, 201, 204, *REFUSALS}, outcomes
        before, new = list(self.families), []
        old_keys = list(self.keys)
        done = [outcome for outcome in outcomes if outcome.status < 300]
        for outcome in done:
            match outcome.action:
                case "refresh" if outcome.body not in outcome.family.pairs:
                    outcome.family.pairs.append(outcome.body)
                case "key":
                    self.keys.append(Key(outcome.body["key"], outcome.family))
                case "sign in":
                    new.append(Family([outcome.body]))
        self.families += new
        for outcome in done:
            self.end(outcome, before, new, old_keys)
        for outcome in (each for each in outcomes if each.action == "steal"):
            assert outcome.status == 401
            outcome.family.lives = False
        self.explain_refusals(outcomes, slow=slow)
        changes = [outcome for outcome in done if outcome.action in ("password", "reset")]
        assert len({outcome.family if outcome.action == "password" else None for outcome in changes}) <= 1
        if changes:
            self.password = "" if len(changes) > 1 else changes[0].password

    def stop_counting(self) -> None:
        """Stop after this round: on a busy machine an action may have been done, though its answer is 503."""
        self.password = ""
        for family in self.families:
            family.lives = None if family.lives else False
        for key in self.keys:
            key.lives = None if key.lives else False

    def explain_refusals(self, outcomes: list[Outcome], *, slow: bool) -> None:
        """Check that no refresh was refused without a reason."""
        for outcome in outcomes:
            if outcome.action == "refresh" and outcome.status == 401 and outcome.family.lives:
                assert slow, "a refresh was refused, and nothing has ended its session"
                outcome.family.lives = None

    def end(self, outcome: Outcome, before: list[Family], new: list[Family], old_keys: list[Key]) -> None:
        """Note what must be dead after an action that was done."""
        spared = outcome.family if outcome.action == "password" else None
        if outcome.action == "logout":
            outcome.family.lives = False
        if outcome.action not in ("logout all", "password", "reset"):
            return
        for family in before:
            family.lives = family.lives and family is spared
        for key in self.keys:
            is_free = key.lives is not False and key.maker is spared and key not in old_keys
            key.lives = None if is_free else False
        for family in new:  # by the old password, so before the new one; the order with a sign-out is free
            family.lives = None if outcome.action == "logout all" and family.lives is not False else False

    async def check(self) -> None:
        """Look at every token, on both workers, and at the rows."""
        await asyncio.gather(*(self.check_token(key, [key.token]) for key in self.keys))
        await asyncio.gather(*(self.check_token(family, family.access_tokens) for family in self.families))
        dead = [pair for family in self.families if not family.lives for pair in family.pairs]
        refusals = await asyncio.gather(*(self.visitor.refresh(pair["refresh_token"]) for pair in dead))
        assert {status for status, _ in refusals} <= {401, BUSY}
        async with self.db.read() as session:
            rows = await session.execute(
                text(
                    "SELECT session.id, count(*) FILTER (WHERE used_at IS NULL) FROM session "
                    "JOIN refresh_token ON session_id = session.id WHERE account_id = :id GROUP BY session.id"
                ),
                {"id": self.id},
            )
            counts = [count for _, count in rows]
        assert counts == [1] * len(counts)
        assert not self.password or len(counts) == sum(family.lives is True for family in self.families)

    async def check_token(self, holder: Family | Key, tokens: list[str]) -> None:
        if holder.lives is None:
            holder.lives = await self.visitor.statuses(tokens[-1], 1) == {200}
        statuses = [await self.visitor.statuses(token) for token in tokens]
        assert statuses == [{200 if holder.lives else 401}] * len(tokens), (holder, statuses)
