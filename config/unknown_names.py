"""Names in a `.env` file that are not settings. They are told at the start: most are misspelt."""

from difflib import get_close_matches
from pathlib import Path

from dotenv import dotenv_values

from config.schema import SettingsSchema
from config.settings import ALIASES

# Variables of compose.yaml, which reads the same file.
OF_COMPOSE = frozenset({"APP_EXTERNAL_PORT", "GRAFANA_PASSWORD", "GRAFANA_PORT", "POSTGRES_EXTERNAL_PORT"})
COMPOSE_PREFIX = "COMPOSE_"  # Compose's own


def unknown_names(dotenv: Path = Path(".env")) -> list[str]:
    """List the names of a file that are none of ours, each with the setting that may be meant."""
    settings = {*SettingsSchema().fields, *ALIASES}
    names = {name.upper(): name for name in dotenv_values(dotenv)}
    unknown = [
        name for name in names if name not in settings | OF_COMPOSE and not name.startswith(COMPOSE_PREFIX)
    ]
    return [describe(names[name], get_close_matches(name, settings, n=1)) for name in unknown]


def describe(name: str, matches: list[str]) -> str:
    return f"{name} ({matches[0]}?)" if matches else name
