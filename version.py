"""The version of Trawl; pyproject.toml and CHANGELOG.md have the same."""

VERSION = "0.2.0"
