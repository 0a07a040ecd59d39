"""The app on a user's phone that shows the codes of a second factor."""

import time
from dataclasses import dataclass, field

import pyotp
from sqlalchemy import update

from db.models import Totp
from service.deps import Deps
from tests.support.http_client import User

STEP = 30  # seconds


@dataclass(slots=True)
class Authenticator:
    """An app with the secret of an account, and the recovery codes that the account got."""

    secret: str
    recovery_codes: list[str] = field(default_factory=list)

    def code(self, *, ahead: int = 0) -> str:
        """Return the present code, or one that is so many steps ahead."""
        return pyotp.TOTP(self.secret).at(time.time() + ahead * STEP)

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


async def forget_last_step(deps: Deps, user: User) -> None:
    """Let an account's codes be new again, as half a minute would."""
    async with deps.db.transaction() as session:
        await session.execute(update(Totp).where(Totp.account_id == user.id).values(last_step=0))
