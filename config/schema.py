"""The values that each setting takes, and its default."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError, fields, validate

from api.limits import MAX_LOGIN, MAX_PASSWORD, MIN_LOGIN, MIN_PASSWORD
from api.time_zones import is_time_zone
from clients.smtp_message import parse_smtp_url
from db.dsn import WrongParameter, check_dsn
from service.logs.nginx_format import BUILT_IN, FormatError, read_format

MIN_SECRET_BYTES = 32
WEB_SCHEMES = ("http", "https")
HOST_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?|\[[0-9a-f:.]+\]", re.IGNORECASE)
BASE_PATH = re.compile(r"/|(/[a-z0-9_~-][a-z0-9._~-]*)+/?", re.IGNORECASE)
TAKEN_URL = (
    "a URL that begins with postgresql:// or postgres://, with libpq's parameters such as ?sslmode=require"
    " or with ?pooler=transaction"
)
SECRETS = frozenset(
    {
        "DATABASE_URL",
        "DATABASE_REPLICA_URL",
        "REDIS_URL",
        "POSTGRES_PASSWORD",
        "SECRET",
        "SECRET_PREVIOUS",
        "ADMIN_PASSWORD",
        "IPINFO_TOKEN",
        "KINOPOISK_API_KEY",
        "SENTRY_DSN",
        "METRICS_TOKEN",
        "SMTP_URL",
    }
)


def validator(description: str, is_valid: Callable[[Any], bool]) -> Callable[[Any], None]:
    """Make a validator. `description` says what the setting takes; it is the error's message."""

    def validate_value(value: Any) -> None:
        if not is_valid(value):
            raise ValidationError(description)

    return validate_value


class WholeNumber(fields.Integer):
    """An integer in plain digits: Python's own int() also takes 1_000 and the digits of other alphabets."""

    def _deserialize(self, value: str, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not (value.isascii() and value.isdigit()):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


def whole(low: int, high: int, default: Any) -> fields.Integer:
    description = f"a whole number from {low} to {high}"
    return WholeNumber(
        load_default=default,
        validate=validate.Range(low, high, error=description),
        error_messages={"invalid": description, "too_large": description},
    )


def text(default: Any = None, *, check: Callable[[Any], None] | None = None) -> fields.String:
    return fields.String(load_default=default, validate=check)


class Choice(fields.String):
    """One of a few words, in any letter case."""

    def __init__(self, *choices: str, default: str | None) -> None:
        super().__init__(load_default=default)
        self.choices = choices

    def _deserialize(self, value: str, *_: Any, **__: Any) -> str:
        for choice in self.choices:
            if choice.lower() == value.lower():
                return choice
        raise ValidationError("one of " + ", ".join(self.choices))


def split_list(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()]


def url_validator(*schemes: str) -> Callable[[Any], None]:
    """Return a validator that takes URLs of these schemes, with a host."""

    def is_valid(value: str) -> bool:
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError:
            return False
        has_host = bool(parts.hostname) or parts.scheme not in WEB_SCHEMES
        return parts.scheme in schemes and port != 0 and has_host

    prefixes = " or ".join(f"{scheme}://" for scheme in schemes)
    return validator(f"a URL that begins with {prefixes}", is_valid)


def postgres_url(value: str) -> None:
    """Check the URL of a database.

    :raises ValidationError: it is none, or has a parameter that can't be honoured
    """
    try:
        check_dsn(value)
    except WrongParameter as error:
        raise ValidationError(str(error)) from None
    except ValueError:
        raise ValidationError(TAKEN_URL) from None


def is_origin(value: str) -> bool:
    """Return whether it is an origin as browsers send it: scheme, host and port, and no path."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"}
        and value == f"{parts.scheme}://{parts.netloc}"
        and parts.netloc != ""
    )


def is_sentry_dsn(value: str) -> bool:
    """Return whether it is a URL with a key as its user, and a number of a project at its end."""
    try:
        parts = urlsplit(value)
        is_url = parts.scheme in WEB_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    project = parts.path.rpartition("/")[2]
    return is_url and bool(parts.username) and project.isascii() and project.isdigit()


def is_smtp_url(value: str) -> bool:
    try:
        ca = parse_smtp_url(value).ca
    except ValueError:
        return False
    return ca is None or is_file(ca)


def is_email(value: str) -> bool:
    try:
        validate.Email()(value)
    except ValidationError:
        return False
    return True


def is_base_path(value: str) -> bool:
    return BASE_PATH.fullmatch(value) is not None


def is_file(value: str) -> bool:
    return Path(value).is_file()


def is_log_format(value: str) -> None:
    """Check LOGS_FORMAT.

    :raises ValidationError: it is not a format
    """
    try:
        read_format(value)
    except FormatError as error:
        names = ", ".join(BUILT_IN)
        raise ValidationError(f"{names}, or a log_format of nginx; {error}") from None


is_key = validator(
    "a key without blanks",
    lambda value: value != "" and value.isascii() and value.isprintable() and " " not in value,
)
web_url = url_validator(*WEB_SCHEMES)
sentry_dsn = validator("a DSN such as https://key@sentry.example/5", is_sentry_dsn)


is_long_secret = validator(
    f"at least {MIN_SECRET_BYTES} bytes", lambda value: len(value.encode()) >= MIN_SECRET_BYTES
)


class SettingsSchema(Schema):
    """All settings. An error message completes the sentence `NAME is …; it takes …`."""

    HOST = text("127.0.0.1")
    PORT = whole(1, 65535, 8000)
    WORKERS = whole(1, 256, lambda: len(os.sched_getaffinity(0)))
    DEBUG = fields.Boolean(load_default=False, error_messages={"invalid": "true or false"})
    DATA_DIR = text("var")
    DATABASE_URL = text(check=postgres_url)
    DATABASE_REPLICA_URL = text(check=postgres_url)
    REDIS_URL = text(check=url_validator("redis", "rediss", "unix"))
    SECRET = text(check=is_long_secret)
    SECRET_PREVIOUS = text(check=is_long_secret)
    JWT_ALGORITHM = Choice("HS256", "HS384", "HS512", default="HS256")
    ACCESS_TOKEN_EXPIRE_MINUTES = whole(1, 525_600, 30)
    REGISTRATION = Choice("open", "closed", default="open")
    ADMIN_LOGIN = text(
        check=validate.Length(MIN_LOGIN, MAX_LOGIN, error=f"{MIN_LOGIN} to {MAX_LOGIN} characters")
    )
    ADMIN_PASSWORD = text(
        check=validate.Length(
            MIN_PASSWORD, MAX_PASSWORD, error=f"{MIN_PASSWORD} to {MAX_PASSWORD} characters"
        )
    )
    RATE_LIMIT_PER_MINUTE = whole(0, 1_000_000, 100)
    INGEST_RATE_LIMIT_PER_MINUTE = whole(0, 1_000_000, 1000)
    COLLECT_RATE_LIMIT_PER_MINUTE = whole(0, 1_000_000, 300)
    KEYS_MAX = whole(0, 1_000_000, 50)
    STREAMS_MAX = whole(0, 1_000_000, 20)
    TASKS_MAX = whole(0, 1_000_000, 10_000)
    FAVOURITES_MAX = whole(0, 1_000_000, 10_000)
    LOGS_FILE = text("logs.txt")
    LOGS_DIR = text()
    LOGS_TIMEZONE = text("UTC", check=validator("an IANA time zone such as Europe/Berlin", is_time_zone))
    LOGS_FORMAT = text(check=is_log_format)
    LOGS_FOLLOW = fields.Boolean(load_default=False, error_messages={"invalid": "true or false"})
    LOGS_RULES = text(check=validator("the path of a file of rules for URLs that is there", is_file))
    RETENTION_DAYS = whole(1, 36_500, None)
    AUDIT_DAYS = whole(1, 36_500, 365)
    COLUMN_CACHE_MB = whole(0, 10_000_000, 2048)
    IPINFO_TOKEN = text(check=is_key)
    ADDRESS_MASK = Choice("1", "2", "3", default=None)
    GEOIP_PATH = text(check=validator("the path of an .mmdb file that is there", is_file))
    KINOPOISK_API_KEY = text(check=is_key)
    KINOPOISK_URL = text("https://kinopoiskapiunofficial.tech", check=web_url)
    CORS_ORIGINS = text(
        "",
        check=validator(
            "exact origins such as https://shop.example, with commas between",
            lambda value: all(map(is_origin, split_list(value))),
        ),
    )
    SMTP_URL = text(
        check=validator(
            "smtp://user:password@host:587 or smtps://user:password@host:465,"
            " with ?tls=required, optional or none for smtp, and ?ca=FILE",
            is_smtp_url,
        )
    )
    MAIL_FROM = text(check=validator("an e-mail address", is_email))
    METRICS_TOKEN = text(check=is_key)
    ALLOWED_HOSTS = text(
        "",
        check=validator(
            "host names such as shop.example without ports, with commas between",
            lambda value: all(map(HOST_NAME.fullmatch, split_list(value))),
        ),
    )
    BASE_PATH = text("", check=validator("a path such as /trawl", is_base_path))
    PROXIES_COUNT = whole(0, 100, 0)
    REAL_IP_HEADER = text(
        check=validator(
            "the name of a header such as X-Real-IP", lambda value: value.replace("-", "").isalnum()
        )
    )
    SENTRY_DSN = text(check=sentry_dsn)
    LOG_LEVEL = Choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", default="INFO")
    LOG_FORMAT = Choice("json", "console", default=None)
    POSTGRES_USER = text("postgres")
    POSTGRES_PASSWORD = text("")
    POSTGRES_DB = text()
    POSTGRES_HOST = text("localhost")
    POSTGRES_PORT = whole(1, 65535, 5432)
