"""Accounts."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Account


async def select_account(session: AsyncSession, account_id: int) -> Account | None:
    return await session.scalar(select(Account).where(Account.id == account_id))
