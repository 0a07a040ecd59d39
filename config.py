"""Settings: read once from the environment and a `.env` file, checked, and frozen.

Only main.py and migrations/env.py read them; everything below gets plain values. Names are taken in any
letter case and under their aliases; the environment goes before the file; what is empty is not set.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from marshmallow import Schema, ValidationError, fields, validate

MIN_SECRET_BYTES = 32
ALIASES = {
    "POSTGRES_URL": "DATABASE_URL",
    "SECRET_KEY": "SECRET",
    "JWT_SECRET_KEY": "SECRET",
    "ALGORITHM": "JWT_ALGORITHM",
    "JWT_ACCESS_TOKEN_EXPIRE_MINUTES": "ACCESS_TOKEN_EXPIRE_MINUTES",
}
SECRETS = frozenset(
    {
        "DATABASE_URL",
        "DATABASE_REPLICA_URL",
        "REDIS_URL",
        "POSTGRES_PASSWORD",
        "SECRET",
        "ADMIN_PASSWORD",
        "IPINFO_TOKEN",
        "KINOPOISK_API_KEY",
        "SENTRY_DSN",
    }
)


class SettingsError(ValueError):
    """A setting is wrong. The message is one line that names it and tells what it takes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Fields are named as the settings, in lower case. URLs are None where the embedded server serves."""

    host: str
    port: int
    workers: int
    debug: bool
    data_dir: Path
    database_url: str | None = field(repr=False)
    database_replica_url: str | None = field(repr=False)
    redis_url: str | None = field(repr=False)
    secret: str | None = field(repr=False)
    jwt_algorithm: str
    access_token_expire_minutes: int
    registration: str
    admin_login: str | None
    admin_password: str | None = field(repr=False)
    rate_limit_per_minute: int
    ingest_rate_limit_per_minute: int
    logs_file: Path
    logs_dir: Path
    logs_timezone: str
    logs_follow: bool
    logs_rules: Path | None
    ipinfo_token: str | None = field(repr=False)
    geoip_path: Path | None
    kinopoisk_api_key: str | None = field(repr=False)
    kinopoisk_url: str
    cors_origins: tuple[str, ...]
    proxies_count: int
    real_ip_header: str | None
    sentry_dsn: str | None = field(repr=False)
    log_level: str
    log_format: str | None

    def shown(self) -> dict[str, str | int | bool | None]:
        """The settings as a log may tell them: of a secret one, whether it is set."""
        told: dict[str, str | int | bool | None] = {}
        for each in fields_of(self):
            value = getattr(self, each.name)
            if not each.repr:
                told[f"{each.name}_is_set"] = value is not None
            else:
                told[each.name] = value if isinstance(value, str | int | bool | None) else str(value)
        return told


def takes(what: str, check: Callable[[Any], bool]) -> Callable[[Any], None]:
    """A validator whose message is what the setting takes."""

    def validator(value: Any) -> None:
        if not check(value):
            raise ValidationError(what)

    return validator


class Whole(fields.Integer):
    """Plain digits only: Python's own int() also takes 1_000 and other alphabets' digits."""

    def _deserialize(self, value: str, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not (value.isascii() and value.isdigit()):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


def whole(low: int, high: int, default: Any) -> fields.Integer:
    what = f"a whole number from {low} to {high}"
    messages: dict[str, Any] = {"invalid": what, "too_large": what}
    return Whole(
        load_default=default, validate=validate.Range(low, high, error=what), error_messages=messages
    )


def text(default: Any = None, *, check: Callable[[Any], None] | None = None) -> fields.String:
    return fields.String(load_default=default, validate=check)


def one_of(*choices: str, default: str | None) -> fields.String:
    return text(default, check=validate.OneOf(choices, error="one of " + ", ".join(choices)))


def is_url(*schemes: str) -> Callable[[Any], None]:
    def check(value: str) -> bool:
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError:
            return False
        return parts.scheme in schemes and port != 0

    return takes("a URL that begins with " + " or ".join(f"{scheme}://" for scheme in schemes), check)


def is_origin(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"}
        and value == f"{parts.scheme}://{parts.netloc}"
        and parts.netloc != ""
    )


def is_time_zone(value: str) -> bool:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def is_file(value: str) -> bool:
    return Path(value).is_file()


postgres_url = is_url("postgresql", "postgres", "postgresql+asyncpg")
web_url = is_url("http", "https")


class SettingsSchema(Schema):
    """What each setting takes, and its default. Error messages complete `NAME is …; it takes …`."""

    HOST = text("127.0.0.1")
    PORT = whole(1, 65535, 8000)
    WORKERS = whole(1, 256, lambda: len(os.sched_getaffinity(0)))
    DEBUG = fields.Boolean(load_default=False, error_messages={"invalid": "true or false"})
    DATA_DIR = text("var")
    DATABASE_URL = text(check=postgres_url)
    DATABASE_REPLICA_URL = text(check=postgres_url)
    REDIS_URL = text(check=is_url("redis", "rediss", "unix"))
    SECRET = text(
        check=takes(
            f"at least {MIN_SECRET_BYTES} bytes", lambda value: len(value.encode()) >= MIN_SECRET_BYTES
        )
    )
    JWT_ALGORITHM = one_of("HS256", "HS384", "HS512", default="HS256")
    ACCESS_TOKEN_EXPIRE_MINUTES = whole(1, 525_600, 30)
    REGISTRATION = one_of("open", "closed", default="open")
    ADMIN_LOGIN = text(check=validate.Length(3, 254, error="3 to 254 characters"))
    ADMIN_PASSWORD = text(check=validate.Length(8, 128, error="8 to 128 characters"))
    RATE_LIMIT_PER_MINUTE = whole(0, 1_000_000, 100)
    INGEST_RATE_LIMIT_PER_MINUTE = whole(0, 1_000_000, 1000)
    LOGS_FILE = text("logs.txt")
    LOGS_DIR = text()
    LOGS_TIMEZONE = text("UTC", check=takes("an IANA time zone such as Europe/Berlin", is_time_zone))
    LOGS_FOLLOW = fields.Boolean(load_default=False, error_messages={"invalid": "true or false"})
    LOGS_RULES = text(check=takes("the path of a file of rules for URLs that is there", is_file))
    IPINFO_TOKEN = text()
    GEOIP_PATH = text(check=takes("the path of an .mmdb file that is there", is_file))
    KINOPOISK_API_KEY = text(
        check=takes(
            "a key without blanks", lambda value: value.isascii() and value.isprintable() and " " not in value
        )
    )
    KINOPOISK_URL = text("https://kinopoiskapiunofficial.tech", check=web_url)
    CORS_ORIGINS = text(
        "",
        check=takes(
            "exact origins such as https://shop.example, with commas between",
            lambda value: all(map(is_origin, split_list(value))),
        ),
    )
    PROXIES_COUNT = whole(0, 100, 0)
    REAL_IP_HEADER = text(
        check=takes("the name of a header such as X-Real-IP", lambda value: value.replace("-", "").isalnum())
    )
    SENTRY_DSN = text(check=web_url)
    LOG_LEVEL = one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", default="INFO")
    LOG_FORMAT = one_of("json", "console", default=None)
    POSTGRES_USER = text("postgres")
    POSTGRES_PASSWORD = text("")
    POSTGRES_DB = text()
    POSTGRES_HOST = text("localhost")
    POSTGRES_PORT = whole(1, 65535, 5432)


UPPER_CASE = ("JWT_ALGORITHM", "LOG_LEVEL")
LOWER_CASE = ("REGISTRATION", "LOG_FORMAT")


def read_settings(environ: Mapping[str, str] = os.environ, dotenv: Path = Path(".env")) -> Settings:
    """The settings of the environment and the file. Raises SettingsError."""
    given = given_settings(environ, dotenv)
    try:
        values: dict[str, Any] = SettingsSchema().load(given)
    except ValidationError as error:
        raise SettingsError(tell(error, given)) from None
    if (values["ADMIN_LOGIN"] is None) != (values["ADMIN_PASSWORD"] is None):
        raise SettingsError("ADMIN_LOGIN and ADMIN_PASSWORD go together; only one of them is set")
    database_url = values["DATABASE_URL"] or postgres_parts_url(given, values)
    replica_url = values["DATABASE_REPLICA_URL"]
    logs_file = Path(values["LOGS_FILE"])
    special: dict[str, Any] = {
        "data_dir": Path(values["DATA_DIR"]).absolute(),
        "database_url": database_url and plain_postgres_url(database_url),
        "database_replica_url": replica_url and plain_postgres_url(replica_url),
        "logs_file": logs_file,
        "logs_dir": Path(values["LOGS_DIR"] or logs_file.parent),
        "logs_rules": values["LOGS_RULES"] and Path(values["LOGS_RULES"]),
        "geoip_path": values["GEOIP_PATH"] and Path(values["GEOIP_PATH"]),
        "cors_origins": tuple(split_list(values["CORS_ORIGINS"])),
    }
    plain = {name.lower(): value for name, value in values.items() if not name.startswith("POSTGRES_")}
    return Settings(**(plain | special))


def given_settings(environ: Mapping[str, str], dotenv: Path) -> dict[str, str]:
    """What is set, under the settings' own names. Other variables are not ours to complain of."""
    given: dict[str, str] = {}
    for source in (dotenv_values(dotenv), environ):
        named = {name.upper(): value.strip() for name, value in source.items() if value and value.strip()}
        given |= {ALIASES[name]: value for name, value in named.items() if name in ALIASES}
        given |= {name: value for name, value in named.items() if name in SettingsSchema().fields}
    given |= {name: given[name].upper() for name in UPPER_CASE if name in given}
    given |= {name: given[name].lower() for name in LOWER_CASE if name in given}
    return given


def tell(error: ValidationError, given: Mapping[str, str]) -> str:
    """One line about the first wrong setting."""
    assert isinstance(error.messages, dict)
    name, what = min(error.messages.items())
    got = "is not what it must be" if name in SECRETS else f"is {given[name]!r}"
    return f"{name} {got}; it takes {what[0]}"


def postgres_parts_url(given: Mapping[str, str], values: Mapping[str, Any]) -> str | None:
    """The URL that POSTGRES_USER and its like add up to, if any of them is set."""
    if not any(name.startswith("POSTGRES_") for name in given):
        return None
    user, password, database = values["POSTGRES_USER"], values["POSTGRES_PASSWORD"], values["POSTGRES_DB"]
    account = quote(user, safe="") + (":" + quote(password, safe="") if password else "")
    host, port = values["POSTGRES_HOST"], values["POSTGRES_PORT"]
    path = quote(database or user, safe="")
    if host.startswith("/"):  # the folder of a socket
        return f"postgresql://{account}@/{path}?host={quote(host, safe='')}&port={port}"
    return f"postgresql://{account}@{f'[{host}]' if ':' in host else host}:{port}/{path}"


def plain_postgres_url(url: str) -> str:
    return "postgresql://" + url.partition("://")[2]


def split_list(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()]


def load_secret(data_dir: Path) -> str:
    """The secret in `data_dir`, made there once; only its owner can read it. Raises OSError."""
    path = data_dir / "secret"
    data_dir.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"secret.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        # A link, unlike a rename, does not replace the secret of somebody who was faster.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text(encoding="ascii")
