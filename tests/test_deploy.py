"""The files in deploy/ and docs/ name only metrics, alerts and packages that exist, and all of them."""

import json
import re
from pathlib import Path

from server.worker import HEADER_MILLISECONDS
from telemetry import metrics

PROJECT = Path(__file__).parents[1]
DASHBOARD = PROJECT / "deploy/grafana/dashboards/trawl.json"
ALERTS = PROJECT / "deploy/prometheus/alerts.yml"
GUIDE = PROJECT / "docs/operations.md"
NAME = re.compile(r"\b(?:trawl|process)_[a-z_]+\b")
SUFFIX = re.compile(r"_(?:total|count|sum|bucket)$")
PINNED = re.compile(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}")
UPSTREAM = re.compile(r"^upstream \w+ \{(.*?)^\}", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"^([A-Za-z][\w-]*):(?!=)", re.MULTILINE)


def existing_metrics() -> set[str]:
    return {SUFFIX.sub("", family.name) for family in metrics.Metrics().registry.collect()}


def metrics_in(text: str) -> set[str]:
    return {SUFFIX.sub("", name) for name in NAME.findall(text)}


def test_dashboard_and_alerts_query_metrics_that_exist() -> None:
    queries = [
        target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel["targets"]
    ]
    assert queries
    assert metrics_in("\n".join(queries)) - existing_metrics() == set()
    assert metrics_in(ALERTS.read_text()) - existing_metrics() == set()


def test_the_dashboard_shows_and_the_guide_explains_every_metric() -> None:
    assert existing_metrics() - metrics_in(DASHBOARD.read_text()) - {"trawl_operations_per_second"} == set()
    assert existing_metrics() - metrics_in(GUIDE.read_text()) == set()


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


def test_every_target_of_the_makefile_is_phony_and_in_its_help() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    [phony] = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    targets = TARGET.findall(makefile)
    assert sorted(phony.split()) == sorted(targets)
    assert len(re.findall(r"^[a-z-]+:.* ## ", makefile, re.MULTILINE)) == len(targets)


def test_every_image_that_is_not_ours_is_pinned_by_its_digest() -> None:
    bases = re.findall(r"^FROM (\S+) AS (\w+)$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)
    stages = {stage for _, stage in bases}
    images = [image for image, _ in bases if image not in stages]
    for compose in (*PROJECT.glob("compose*.yaml"), *PROJECT.glob("deploy/*/compose*.yaml")):
        images += re.findall(r"^ +image: (\S+)", compose.read_text(), re.MULTILINE)
    images = [image for image in images if image != "trawl"]
    assert len(images) >= 9
    assert [image for image in images if not PINNED.fullmatch(image)] == []


def test_nginx_closes_idle_connections_before_trawl_does() -> None:
    """Else it begins an upload on one that is just being closed, and can't send it anew."""
    upstreams = [
        text for path in PROJECT.glob("deploy/*/*.conf") for text in UPSTREAM.findall(path.read_text())
    ]
    assert len(upstreams) >= 2
    for upstream in upstreams:
        seconds = re.search(r"^ +keepalive_timeout (\d+)s;", upstream, re.MULTILINE)
        assert seconds
        assert int(seconds[1]) * 1000 < HEADER_MILLISECONDS


def test_the_files_that_the_security_guide_names_exist() -> None:
    text = (PROJECT / "docs/security.md").read_text()
    paths = re.findall(r"`([a-z_]+/[a-z_/]*(?:\.\w+)?)`", text)
    assert len(paths) > 10
    assert [path for path in paths if not (PROJECT / path).exists()] == []
