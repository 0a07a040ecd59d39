"""What lies in deploy/ and docs/ must speak of metrics, alerts and settings that there are."""

import json
import re
from pathlib import Path

from telemetry import metrics

PROJECT = Path(__file__).parents[1]
DASHBOARD = PROJECT / "deploy/grafana/dashboards/trawl.json"
ALERTS = PROJECT / "deploy/prometheus/alerts.yml"
GUIDE = PROJECT / "docs/operations.md"
NAMED = re.compile(r"\b(?:trawl|process)_[a-z_]+\b")
SUFFIX = re.compile(r"_(?:total|count|sum|bucket)$")


def known() -> set[str]:
    return {SUFFIX.sub("", family.name) for family in metrics.Metrics().registry.collect()}


def named(text: str) -> set[str]:
    return {SUFFIX.sub("", name) for name in NAMED.findall(text)}


def test_dashboard_and_alerts_ask_for_metrics_that_there_are() -> None:
    asked = [
        target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel["targets"]
    ]
    assert asked
    assert named("\n".join(asked)) - known() == set()
    assert named(ALERTS.read_text()) - known() == set()


def test_the_dashboard_shows_and_the_guide_explains_every_metric() -> None:
    assert known() - named(DASHBOARD.read_text()) - {"trawl_operations_per_second"} == set()
    assert known() - named(GUIDE.read_text()) == set()


def test_the_guide_says_what_to_do_at_every_alert() -> None:
    alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())
    assert alerts
    assert [alert for alert in alerts if f"**{alert}**" not in GUIDE.read_text()] == []


def test_the_image_has_all_that_the_server_imports() -> None:
    image = (PROJECT / "Dockerfile").read_text().partition("AS serve")[2]
    copied = {
        name for line in re.findall(r"^COPY (?!--)(.+) \S+$", image, re.MULTILINE) for name in line.split()
    }
    packages = {"api", "clients", "commands", "config", "db", "embedded"}
    packages |= {"migrations", "server", "service", "telemetry", "transport"}
    assert packages | {"*.py", "alembic.ini", "logs.txt"} == copied
