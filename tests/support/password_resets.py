"""Resets of passwords over HTTP."""

from datetime import timedelta

from sqlalchemy import update

from db.database import Database
from db.models import PasswordReset
from tests.support.command_line import PASSWORD
from tests.support.http_client import Answer, Client, User

NEW = "a wholly new battery"


async def admins_token(admin: User, user: User) -> str:
    answer = await admin.client.post(f"/admin/users/{user.id}/password-reset")
    assert answer.status == 201, answer.body
    token: str = answer.json["token"]
    return token


async def reset(client: Client, token: str, password: str = NEW) -> Answer:
    return await client.post("/password/reset", json={"token": token, "password": password})


async def sign_in(client: Client, login: str, password: str) -> int:
    return (await client.post("/login", json={"login": login, "password": password})).status


async def set_email(user: User, email: str) -> None:
    changes = {"email": email, "current_password": PASSWORD}
    answer = await user.client.patch("/profile", json=changes)
    if answer.status == 422:  # it takes current_password with a new password alone
        answer = await user.client.patch("/profile", json={"email": email})
    assert answer.status == 200, answer.body


async def age(db: Database, by: timedelta) -> None:
    """Make the tokens as much older."""
    async with db.transaction() as session:
        await session.execute(update(PasswordReset).values(expires_at=PasswordReset.expires_at - by))
