"""What an account is let in by stands in no log, of the server or of the command line, at LOG_LEVEL=DEBUG."""

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import aiohttp

from tests.support.authenticator import Authenticator
from tests.support.command_line import Command, Running, free_port, wait_until_ready
from tests.support.eventually import eventually
from tests.support.mail_server import CREDENTIALS, MailServer, play_mail_server
from tests.support.processes import PATIENCE
from tests.support.two_workers import CHEAP

RESET_TOKEN = re.compile(r"^trawl_reset_[\w-]{43}$", re.MULTILINE)
SECRETS = ("password", "current_password", "access_token", "refresh_token", "token", "key", "secret", "uri")
OPERATORS = {
    "SECRET": "the secret of this server, longer than 32 bytes",
    "SECRET_PREVIOUS": "the secret before it, longer than 32 bytes",
    "METRICS_TOKEN": "the-token-of-the-metrics",
    "ADMIN_PASSWORD": "the battery of root",
}


@dataclass
class Visitor:
    """Sends requests, and keeps every secret that it sends or gets."""

    http: aiohttp.ClientSession
    secrets: set[str] = field(default_factory=set)
    codes: list[str] = field(default_factory=list)  # short: other numbers have the same digits in them

    async def send(self, method: str, path: str, body: object = None, token: str = "") -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        kind = {"data": body} if isinstance(body, str) else {"json": body}
        async with self.http.request(method, path, headers=headers, **kind) as response:
            text = await response.text()
        is_json = response.content_type == "application/json"
        answer: dict[str, Any] = json.loads(text) if text and is_json else {}
        sent = body if isinstance(body, dict) else {}
        for members in (answer, sent):
            self.secrets |= {members[name] for name in SECRETS if isinstance(members.get(name), str)}
            self.secrets |= {*members.get("recovery_codes", ())}
        return answer

    async def sign_in(self, login: str, password: str) -> Any:
        return await self.send("POST", "/login", {"login": login, "password": password})

    async def live_a_day(self, mails: MailServer) -> None:
        """Do all that an account does with secrets, rightly and wrongly."""
        user = {"login": "anna", "email": "anna@shop.example", "password": "battery number 1"}
        await self.send("POST", "/register", user)
        await self.send("POST", "/register", user | {"password": "short77"})
        await self.sign_in("anna", "not the battery")
        form = {"grant_type": "password", "username": "anna", "password": "battery number 1"}
        first = await self.sign_in("anna", "battery number 1")
        async with self.http.post("/token", data=form) as response:
            self.secrets.add((await response.json())["access_token"])
        second = await self.send("POST", "/token/refresh", {"refresh_token": first["refresh_token"]})
        await self.send("POST", "/token/refresh", {"refresh_token": "trawl_refresh_of_nobody"})
        key = await self.send(
            "POST", "/keys", {"name": "k", "scopes": ["profile:read"]}, second["access_token"]
        )
        await self.send("GET", "/profile", token=key["key"])
        await self.send("GET", f"/profile?token={key['key']}", token="no-such-token-of-mine")
        await self.send("DELETE", f"/sessions/{second['refresh_token']}", token=second["access_token"])
        await self.send("POST", "/login", '{"login": "anna", "password": "battery number 1"')
        change = {"password": "battery number 2", "current_password": "battery number 1"}
        await self.send("PATCH", "/profile", change, second["access_token"])
        await self.reset_by_mail(mails)
        await self.reset_by_admin()
        await self.use_second_factor()

    async def use_second_factor(self) -> None:
        """Turn it on, and sign in by a wrong code, a code of the app and a recovery code."""
        user = {"login": "anna", "password": "battery number 4"}
        token = (await self.send("POST", "/login", user))["access_token"]
        app = Authenticator((await self.send("POST", "/profile/totp", {}, token))["secret"])
        codes = [app.wrong_code(), app.code()]
        for code in codes:
            answer = await self.send("POST", "/profile/totp/confirm", {"code": code}, token)
        recovery_codes = answer["recovery_codes"]
        for code in (*codes, recovery_codes[0]):
            await self.send("POST", "/login", user | {"totp": code})
        self.codes = codes
        signed_in = await self.send("POST", "/login", user | {"recovery_code": recovery_codes[1]})
        assert signed_in["access_token"]

    async def reset_by_mail(self, mails: MailServer) -> None:
        await self.send("POST", "/password/forgot", {"login": "anna"})
        await arrival(mails, 1)
        self.secrets |= {line for line in mails.text().splitlines() if line and line != "?"}
        [token] = RESET_TOKEN.findall(mails.text().replace("\r\n", "\n"))
        await self.send("POST", "/password/reset", {"token": token, "password": "password1"})
        await self.send("POST", "/password/reset", {"token": token, "password": "battery number 3"})
        mails.replies = ["550 refused: a wholly secret text of the mail"]
        await self.send("POST", "/password/forgot", {"login": "anna"})
        await attempt(mails, 2)
        self.secrets.add("a wholly secret text of the mail")

    async def reset_by_admin(self) -> None:
        admin = (await self.sign_in("root", OPERATORS["ADMIN_PASSWORD"]))["access_token"]
        items = (await self.send("GET", "/admin/users?q=anna", token=admin))["items"]
        path = f"/admin/users/{items[0]['id']}/password-reset"
        token = (await self.send("POST", path, token=admin))["token"]
        await self.send("POST", "/password/reset", {"token": token, "password": "battery number 4"})
        assert (await self.sign_in("anna", "battery number 4"))["access_token"]


async def arrival(mails: MailServer, count: int) -> None:
    async def is_there() -> bool:
        return len(mails.mails) >= count

    await eventually(is_there)


async def attempt(mails: MailServer, count: int) -> None:
    async def was_made() -> bool:
        return mails.attempts >= count

    await eventually(was_made)


def derived(secrets: set[str]) -> set[str]:
    """The secrets, and what is stored of them: digests, and the mark of a password's hash."""
    digests = {hashlib.sha256(secret.encode()).hexdigest() for secret in secrets}
    return secrets | digests | {"$scrypt$"}


async def output_of(process: Running) -> str:
    output, errors = await asyncio.to_thread(process.communicate, timeout=PATIENCE)
    return output + errors


async def output_of_command(trawl: Command, *arguments: str, text: str, **settings: str) -> str:
    _, output, errors = await asyncio.to_thread(trawl.run_with_log, *arguments, text=text, **settings)
    return output + errors


async def test_no_secret_stands_in_a_log_of_the_server_or_of_the_command_line(trawl: Command) -> None:
    user, password = (part.decode() for part in CREDENTIALS)
    url = f"http://127.0.0.1:{(port := free_port())}"
    async with play_mail_server(with_login=True) as mails:
        smtp = f"smtp://{quote(user)}:{quote(password, safe='')}@127.0.0.1:{mails.port}?tls=none"
        settings = OPERATORS | {"LOG_LEVEL": "DEBUG", "SMTP_URL": smtp, "ADMIN_LOGIN": "root"}
        serving = replace(trawl, program=CHEAP)
        process = serving.fork(PORT=str(port), WORKERS="1", RATE_LIMIT_PER_MINUTE="0", **settings)
        logs = asyncio.create_task(output_of(process))
        try:
            await asyncio.to_thread(wait_until_ready, url)
            async with aiohttp.ClientSession(url) as http:
                visitor = Visitor(http, {*OPERATORS.values(), password, "no-such-token-of-mine"})
                await visitor.live_a_day(mails)
        finally:
            process.terminate()
            text = await logs
    assert '"level":"debug"' in text
    assert "mail_undelivered" in text
    for arguments, battery in (
        (("set-password", "anna"), "battery of the operator"),
        (("create-admin", "eve"), "battery of eve"),
    ):
        visitor.secrets.add(battery)
        text += await output_of_command(trawl, *arguments, text=f"{battery}\n", **settings)
    for command in ("doctor", "set-password nobody", "create-admin eve2"):
        text += await output_of_command(trawl, *command.split(), text="short77\n", **settings)
    assert len(visitor.secrets) > 30
    assert [code for code in visitor.codes if re.search(rf"(?<![\d.]){code}(?!\d)", text)] == []
    assert sorted(secret for secret in derived(visitor.secrets) if secret in text) == []
