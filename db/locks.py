"""All advisory locks, in the order in which a transaction that needs several takes them.

No two transactions wait for each other in a circle as long as both keep this order. PostgreSQL releases a
lock at the end of its transaction, also when the process that holds it dies.

| lock          | key                      | held                                                            |
|---------------|--------------------------|-----------------------------------------------------------------|
| migration     | 7241800                  | while the schema is migrated                                    |
| job           | hash of its name, seed 0 | while a background job runs: one at a time over all servers     |
| parts         | 20181, 2                 | while parts are stored or deleted, with all that belongs to them|
| writers       | 20181, 0                 | shared while visits are stored, exclusive while they change     |
| cart roll-ups | 20181, 1                 | while carts or goods change, after all that visits alone change |
| admins        | hash of 'admins', seed 2 | while an admin is made, or one loses its rights or is deleted   |
| names         | hash of each, seed 1     | while logins and e-mail addresses are taken, in sorted order    |
| sites         | hash of 'sites', seed 2  | while a site is made                                            |

The names of jobs: `retention`, `audit`, `countries`, `expiry`, `event columns`, `dropped parts`,
`visit parts`, the path of the file that is imported with the digest of its first line and its location, the
same behind `follow`, and `stream <lease token>` for an import without a file.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncSession

WRITERS = "20181, 0"  # stands in store_live_visit.sql and store_live_visits.sql too
RETENTION, COUNTRIES, EXPIRY = "retention", "countries", "expiry"
AUDIT = "audit"
DROPPED_PARTS = "dropped parts"  # while their columns are deleted, or a backup needs them
EVENT_COLUMNS = "event columns"  # while they are merged, or deleted
VISIT_PARTS = "visit parts"  # while live visits and small parts are merged

LOCK_MIGRATION = text("SELECT pg_advisory_xact_lock(7241800)")
TRY_LOCK_JOB = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))")
LOCK_JOB = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
LOCK_WRITERS_SHARED = text(f"SELECT pg_advisory_xact_lock_shared({WRITERS})")
LOCK_WRITERS_EXCLUSIVE = text(f"SELECT pg_advisory_xact_lock({WRITERS})")
SELECT_WRITERS = text(
    "SELECT DISTINCT virtualtransaction FROM pg_locks "
    "WHERE locktype = 'advisory' AND (classid, objid) = (20181, 0) AND pid <> pg_backend_pid() "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
LOCK_PARTS = text("SELECT pg_advisory_xact_lock(20181, 2)")
LOCK_CART_ROLLUPS = text("SELECT pg_advisory_xact_lock(20181, 1)")
LOCK_ADMINS = text("SELECT pg_advisory_xact_lock(hashtextextended('admins', 2))")
LOCK_SITES = text("SELECT pg_advisory_xact_lock(hashtextextended('sites', 2))")
LOCK_NAME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 1))")


def lock_migration(connection: Connection) -> None:
    """Make servers that start at once migrate one after the other."""
    connection.execute(LOCK_MIGRATION)


def import_key(
    file: str | None, first_line_sha256: bytes | None, location: str | None, lease_token: str | None = None
) -> str:
    """Return the lock of an import: that of its file, or one of its own where it has none."""
    return f"stream {lease_token}" if file is None else file_key(file, first_line_sha256, location)


def follow_key(file: str, first_line_sha256: bytes, location: str) -> str:
    """Return the lock of following a log file."""
    return f"follow {file_key(file, first_line_sha256, location)}"


def file_key(file: str, first_line_sha256: bytes | None, location: str | None) -> str:
    """Return what tells a file from others at the same path on other machines."""
    return f"{file} {(first_line_sha256 or b'').hex()} {location or ''}".rstrip(" ")


async def lock_job(session: AsyncSession, key: str) -> None:
    """Wait for the lock of a job, and take it."""
    await session.execute(LOCK_JOB, {"key": key})


async def try_lock(session: AsyncSession, key: str) -> bool:
    """Take the lock of a job; False if somebody else holds it."""
    locked: bool = await session.scalar(TRY_LOCK_JOB, {"key": key})
    return locked


async def lock_writers_shared(session: AsyncSession) -> None:
    """Wait until nobody changes or deletes visits. Others may store theirs meanwhile."""
    await session.execute(LOCK_WRITERS_SHARED)


async def lock_writers_exclusive(session: AsyncSession) -> None:
    """Wait for whoever stores visits, and keep others from storing any."""
    await session.execute(LOCK_WRITERS_EXCLUSIVE)


async def select_writers(session: AsyncSession) -> set[str]:
    """Return the other transactions that hold the writers' lock, or wait for it."""
    return set(await session.scalars(SELECT_WRITERS))


async def lock_parts(session: AsyncSession) -> None:
    """Wait until nobody else stores or deletes parts, or deletes addresses, which parts name by their ids.

    A line is compared with the parts that stand: two that are stored at once would not see each other.
    """
    await session.execute(LOCK_PARTS)


async def lock_cart_rollups(session: AsyncSession) -> None:
    """Wait until nobody else changes carts or goods.

    What a cart counts for depends on goods that others infer, so two changes at once would miss each other.
    """
    await session.execute(LOCK_CART_ROLLUPS)


async def lock_admins(session: AsyncSession) -> None:
    """Keep others from making or unmaking an admin: two admins may demote each other at once."""
    await session.execute(LOCK_ADMINS)


async def lock_names(session: AsyncSession, keys: Iterable[str]) -> None:
    """Keep others from taking these folded logins or e-mail addresses.

    A login of one account must not be the e-mail address of another, which no single constraint can say.
    """
    for key in sorted(set(keys)):
        await session.execute(LOCK_NAME, {"key": key})


async def lock_sites(session: AsyncSession) -> None:
    """Keep others from making a site meanwhile, so that no two of them exceed the bound together."""
    await session.execute(LOCK_SITES)
