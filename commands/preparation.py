"""What `serve` does before it serves: migrations, the secret, the first admin, a look at the cache."""

import secrets
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog
from marshmallow import ValidationError

from api.accounts import CreateAdminRequest
from bootstrap import Addresses, make_deps
from clock import now
from config import Settings, SettingsError
from db.migrate import migrate
from db.queries.auth_events import NOBODY, Origin
from service.accounts import accounts
from service.accounts.totp import reseal_secrets
from service.deps import Deps
from service.errors import Invalid
from service.security.sealing import NONCE_BYTES, sealer_of

log = structlog.get_logger("trawl.server")


async def prepare_database(settings: Settings, addresses: Addresses) -> bool:
    """Migrate, then make the secret and the admin of the settings if they do not exist.

    What SECRET_PREVIOUS has encrypted is encrypted by SECRET. A cache that does not answer is told.
    Returns whether there is any account.
    """
    await migrate(addresses.database)
    deps = make_deps(settings, addresses)
    unreadable = await reseal_secrets(
        deps.db, sealer_of(deps.tokens), make_nonce=lambda: secrets.token_bytes(NONCE_BYTES)
    )
    if unreadable:
        log.error(
            "totp_unreadable", accounts=unreadable, remedy="start once with the old one in SECRET_PREVIOUS"
        )
    if settings.admin_login is not None:
        await ensure_admin(deps, settings.admin_login, settings.admin_password or "")
    has_accounts = await accounts.has_accounts(deps.db)
    if not await deps.cache.ping() and settings.redis_url is not None:
        log.warning("nothing answers at REDIS_URL: check it; serving goes on without, more slowly")
    await deps.db.close()
    await deps.cache.close()
    return has_accounts


async def ensure_admin(deps: Deps, login: str, password: str) -> None:
    """Make an admin if there is none. If the login then is not an admin's, log how to make it one.

    :raises SettingsError: the login or the password is one that can't be set
    """
    with admin_setting_errors(), suppress(accounts.NameTaken):
        loaded = CreateAdminRequest().load({"login": login, "password": password})
        new = accounts.NewAccount(**loaded, role="admin")
        await accounts.create_first_admin(
            deps.db, deps.hasher, new, salt=secrets.token_bytes(16), origin=Origin(now(), actor_id=NOBODY)
        )
    if not await accounts.is_admin(deps.db, login):
        remedy = f"python main.py create-admin {shlex.quote(login)}"
        log.error("admin_login_is_no_admin", login=login, remedy=remedy)


@contextmanager
def admin_setting_errors() -> Iterator[None]:
    """Turn what is wrong with a login or a password into an error that names its setting."""
    try:
        yield
    except Invalid as error:
        faults = [(pointer.removeprefix("/"), detail) for pointer, detail in error.errors]
    except ValidationError as error:
        messages = error.normalized_messages()
        faults = [(name, detail) for name, details in messages.items() for detail in details]
    else:
        return
    raise SettingsError("; ".join(f"ADMIN_{name.upper()} {detail}" for name, detail in faults))
