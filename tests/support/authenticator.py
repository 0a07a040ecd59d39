"""The app on a user's phone that shows the codes of a second factor."""

import time
from dataclasses import dataclass, field

import pyotp
from sqlalchemy import select, update

from db.models import AuthEvent, Totp
from service.deps import Deps
from tests.support.http_client import Answer, Client, User

STEP = 30  # seconds
PASSWORD = "correct horse battery"


@dataclass(slots=True)
class Authenticator:
    """An app with the secret of an account, and the recovery codes that the account got.

    Its clock stands still, so that a test knows which code is which: the server takes the present code for
    half a minute at least, and the next one for a whole.
    """

    secret: str
    recovery_codes: list[str] = field(default_factory=list)
    at: float = field(default_factory=time.time)

    def code(self, *, ahead: int = 0) -> str:
        """Return the present code, or one that is so many steps ahead."""
        return pyotp.TOTP(self.secret).at(self.at + ahead * STEP)

    def wrong_code(self) -> str:
        """Return a code that is valid at no time near."""
        near = {self.code(ahead=ahead) for ahead in range(-3, 20)}
        return next(code for number in range(100) if (code := f"{number:06}") not in near)


async def begin(user: User) -> Authenticator:
    """Make a user's secret, which is not confirmed yet."""
    answer = await user.client.post("/profile/totp")
    assert answer.status == 201, answer.body
    return Authenticator(answer.json["secret"])


async def enable(user: User) -> Authenticator:
    """Turn a user's second factor on. The present code is used up by that, the next one is not."""
    app = await begin(user)
    answer = await user.client.post("/profile/totp/confirm", json={"code": app.code()})
    assert answer.status == 200, answer.body
    app.recovery_codes = answer.json["recovery_codes"]
    return app


async def sign_in(client: Client, **code: str) -> Answer:
    """Sign in as Anna, with a code if one is given."""
    return await client.post("/login", json={"login": "anna", "password": PASSWORD, **code})


async def audit_types(deps: Deps) -> list[str]:
    """Return what the audit tells of Anna, oldest first."""
    async with deps.db.read() as session:
        query = select(AuthEvent.type).where(AuthEvent.login_key == "anna").order_by(AuthEvent.id)
        return list(await session.scalars(query))


async def forget_last_step(deps: Deps, user: User) -> None:
    """Let an account's codes be new again, as half a minute would."""
    async with deps.db.transaction() as session:
        await session.execute(update(Totp).where(Totp.account_id == user.id).values(last_step=0))
