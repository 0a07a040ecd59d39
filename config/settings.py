"""Reads settings from the environment and a `.env` file.

Only commands and migrations/env.py read them; all else gets plain values. Names are taken in any letter
case and under their aliases; the environment goes before the file; an empty value is not set.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from marshmallow import ValidationError

from config.schema import SECRETS, SettingsSchema, split_list

ALIASES = {
    "POSTGRES_URL": "DATABASE_URL",
    "SECRET_KEY": "SECRET",
    "JWT_SECRET_KEY": "SECRET",
    "ALGORITHM": "JWT_ALGORITHM",
    "JWT_ACCESS_TOKEN_EXPIRE_MINUTES": "ACCESS_TOKEN_EXPIRE_MINUTES",
}
PASSWORDS = frozenset({"ADMIN_PASSWORD", "POSTGRES_PASSWORD"})


class SettingsError(ValueError):
    """A setting is wrong. The message is one line that names it and says what it takes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, named in lower case. A URL is None where the embedded server is used."""

    host: str
    port: int
    workers: int
    debug: bool
    data_dir: Path
    database_url: str | None = field(repr=False)
    database_replica_url: str | None = field(repr=False)
    redis_url: str | None = field(repr=False)
    secret: str | None = field(repr=False)
    secret_previous: str | None = field(repr=False)
    jwt_algorithm: str
    access_token_expire_minutes: int
    registration: str
    admin_login: str | None
    admin_password: str | None = field(repr=False)
    rate_limit_per_minute: int
    ingest_rate_limit_per_minute: int
    collect_rate_limit_per_minute: int
    keys_max: int
    streams_max: int
    tasks_max: int
    favourites_max: int
    logs_file: Path
    logs_dir: Path | None
    logs_timezone: str
    logs_follow: bool
    logs_rules: Path | None
    address_mask: int
    logs_format: str | None
    retention_days: int | None
    audit_days: int
    column_cache_mb: int
    ipinfo_token: str | None = field(repr=False)
    geoip_path: Path | None
    kinopoisk_api_key: str | None = field(repr=False)
    kinopoisk_url: str
    cors_origins: tuple[str, ...]
    smtp_url: str | None = field(repr=False)
    mail_from: str | None = field(repr=False)
    metrics_token: str | None = field(repr=False)
    allowed_hosts: tuple[str, ...]
    base_path: str
    proxies_count: int
    real_ip_header: str | None
    sentry_dsn: str | None = field(repr=False)
    log_level: str
    log_format: str | None

    def public_values(self) -> dict[str, str | int | bool | None]:
        """Return the settings for a log; for a secret one `NAME_is_set` instead of its value."""
        values: dict[str, str | int | bool | None] = {}
        for each in fields_of(self):
            value = getattr(self, each.name)
            if not each.repr:
                values[f"{each.name}_is_set"] = value is not None
            else:
                values[each.name] = value if isinstance(value, str | int | bool | None) else str(value)
        return values


def read_settings(environ: Mapping[str, str] = os.environ, dotenv: Path = Path(".env")) -> Settings:
    """Read the settings of the environment and the file.

    :raises SettingsError: a setting is wrong
    """
    texts = collect_settings(environ, dotenv)
    try:
        values: dict[str, Any] = SettingsSchema().load(texts)
    except ValidationError as error:
        raise SettingsError(describe_error(error, texts)) from None
    if (values["ADMIN_LOGIN"] is None) != (values["ADMIN_PASSWORD"] is None):
        raise SettingsError("ADMIN_LOGIN and ADMIN_PASSWORD go together; only one of them is set")
    database_url = values["DATABASE_URL"] or postgres_parts_url(texts, values)
    replica_url = values["DATABASE_REPLICA_URL"]
    converted: dict[str, Any] = {
        "data_dir": Path(values["DATA_DIR"]).absolute(),
        "database_url": database_url and plain_postgres_url(database_url),
        "database_replica_url": replica_url and plain_postgres_url(replica_url),
        "logs_file": Path(values["LOGS_FILE"]),
        "logs_dir": values["LOGS_DIR"] and Path(values["LOGS_DIR"]),
        "logs_rules": values["LOGS_RULES"] and Path(values["LOGS_RULES"]),
        "geoip_path": values["GEOIP_PATH"] and Path(values["GEOIP_PATH"]),
        "cors_origins": tuple(split_list(values["CORS_ORIGINS"])),
        "allowed_hosts": tuple(split_list(values["ALLOWED_HOSTS"].lower())),
        "address_mask": int(values["ADDRESS_MASK"] or 0),
        "base_path": values["BASE_PATH"].rstrip("/"),
    }
    plain = {name.lower(): value for name, value in values.items() if not name.startswith("POSTGRES_")}
    return Settings(**(plain | converted))


def chosen_log_format(environ: Mapping[str, str] = os.environ, dotenv: Path = Path(".env")) -> str | None:
    """Return LOG_FORMAT as it is set, for the error of settings that can't be read; None if it is not."""
    try:
        texts = collect_settings(environ, dotenv)
    except SettingsError:
        texts = collect_settings(environ, Path(os.devnull))
    return texts.get("LOG_FORMAT", "").lower() or None


def collect_settings(environ: Mapping[str, str], dotenv: Path) -> dict[str, str]:
    """Return the texts of the settings that are set, by their names; other variables are ignored.

    :raises SettingsError: the file can't be read
    """
    texts: dict[str, str] = {}
    for source in (read_dotenv(dotenv), environ):
        variables = {
            name.upper(): trim(name.upper(), value)
            for name, value in source.items()
            # A secret of spaces alone is not a way to leave it out: it is refused.
            if value and (value.strip() or ALIASES.get(name.upper(), name.upper()) in SECRETS)
        }
        texts |= {ALIASES[name]: value for name, value in variables.items() if name in ALIASES}
        texts |= {name: value for name, value in variables.items() if name in SettingsSchema().fields}
    return texts


def trim(name: str, value: str) -> str:
    """Return a value without what stands around it; the blanks of a password are a part of it."""
    return value.strip("\r\n" if name in PASSWORDS else None)


def read_dotenv(path: Path) -> dict[str, str | None]:
    """Read a `.env` file; one that is not there is empty.

    :raises SettingsError: it can't be read, is not UTF-8, or has a line that sets nothing
    """
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
    except OSError as error:
        raise SettingsError(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8: byte {error.start}") from None
    for binding in parse_stream(StringIO(text)):
        if binding.error:  # its text may hold a secret
            raise SettingsError(
                f"{path}, line {binding.original.line}: write NAME=value, with quotes in pairs"
            )
    values = dotenv_values(stream=StringIO(text))
    # The variables of a log_format, such as ${remote_addr}, are nginx's and no settings.
    own = {binding.key: binding.value for binding in parse_stream(StringIO(text)) if binding.key}
    return values | {name: own[name] for name in values if name.upper() == "LOGS_FORMAT"}


def describe_error(error: ValidationError, texts: Mapping[str, str]) -> str:
    """Describe the first wrong setting in one line, without the value of a secret."""
    assert isinstance(error.messages, dict)
    name, messages = min(error.messages.items())
    state = "is not what it must be" if name in SECRETS else f"is {texts[name]!r}"
    return f"{name} {state}; it takes {messages[0]}"


def postgres_parts_url(texts: Mapping[str, str], values: Mapping[str, Any]) -> str | None:
    """Build a URL from POSTGRES_USER and its like; None if none of them is set."""
    if not any(name.startswith("POSTGRES_") for name in texts):
        return None
    user, password, database = values["POSTGRES_USER"], values["POSTGRES_PASSWORD"], values["POSTGRES_DB"]
    account = quote(user, safe="") + (":" + quote(password, safe="") if password else "")
    host, port = values["POSTGRES_HOST"], values["POSTGRES_PORT"]
    path = quote(database or user, safe="")
    if host.startswith("/"):  # the directory of a socket
        return f"postgresql://{account}@/{path}?host={quote(host, safe='')}&port={port}"
    return f"postgresql://{account}@{f'[{host}]' if ':' in host else host}:{port}/{path}"


def plain_postgres_url(url: str) -> str:
    return "postgresql://" + url.partition("://")[2]
