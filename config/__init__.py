"""Settings: read once from the environment and a `.env` file, validated, frozen."""

from config.schema import SettingsSchema
from config.secret_file import load_secret
from config.settings import Settings, SettingsError, chosen_log_format, read_settings

__all__ = ["Settings", "SettingsError", "SettingsSchema", "chosen_log_format", "load_secret", "read_settings"]
