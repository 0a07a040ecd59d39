"""The manifests in deploy/kubernetes/ agree with one another, the settings, the routes and the image."""

import re
from pathlib import Path
from typing import Any

import yaml

from config import read_settings
from config.schema import SECRETS, SettingsSchema
from transport.app import all_routes

PROJECT = Path(__file__).parents[1]
FOLDER = PROJECT / "deploy/kubernetes"
DRAINING = 20  # seconds at most, as docs/operations.md says


def manifest(name: str) -> Any:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text())


def pod() -> Any:
    return manifest("deployment")["spec"]["template"]


def containers() -> list[Any]:
    return [*pod()["spec"]["initContainers"], *pod()["spec"]["containers"]]


def test_every_manifest_but_the_example_of_secrets_is_applied() -> None:
    names = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml", "secret.example.yaml"}
    assert set(manifest("kustomization")["resources"]) == names


def test_the_settings_exist_and_have_values_that_they_take(tmp_path: Path) -> None:
    public, secret = manifest("configmap")["data"], manifest("secret.example")["stringData"]
    assert set(public) | set(secret) <= set(SettingsSchema().fields)
    assert set(public) & set(SECRETS) == set()
    assert all(isinstance(value, str) for value in (public | secret).values())
    settings = read_settings(public | secret, tmp_path / "none")
    assert settings.database_url
    mounts = {mount["mountPath"] for mount in containers()[-1]["volumeMounts"]}
    assert {str(settings.data_dir), str(settings.logs_dir), str(settings.logs_file.parent)} <= mounts
    ports = [port["containerPort"] for container in containers() for port in container.get("ports", ())]
    assert ports == [settings.port]


def test_the_probes_ask_public_routes_of_the_port() -> None:
    paths = {f"/{route.path}" for route in all_routes() if getattr(route.ctx, "public", False)}
    [server] = pod()["spec"]["containers"]
    probes = [server[name]["httpGet"] for name in ("startupProbe", "readinessProbe", "livenessProbe")]
    assert [probe["path"] for probe in probes] == ["/ready", "/ready", "/"]
    assert {probe["path"] for probe in probes} <= paths
    named = {port["name"] for port in server["ports"]}
    assert {probe["port"] for probe in probes} == named
    assert {port["targetPort"] for port in manifest("service")["spec"]["ports"]} == named


def test_what_selects_pods_selects_those_of_the_deployment() -> None:
    labels, deployment = pod()["metadata"]["labels"], manifest("deployment")["spec"]
    [spread] = pod()["spec"]["topologySpreadConstraints"]
    selectors = [
        deployment["selector"]["matchLabels"],
        manifest("service")["spec"]["selector"],
        manifest("poddisruptionbudget")["spec"]["selector"]["matchLabels"],
        spread["labelSelector"]["matchLabels"],
    ]
    assert selectors == [labels] * 4


def test_the_secrets_and_volumes_that_containers_name_are_there() -> None:
    sources = {manifest(name)["metadata"]["name"] for name in ("configmap", "secret.example")}
    volumes = {volume["name"] for volume in pod()["spec"]["volumes"]}
    for container in containers():
        assert {name for source in container["envFrom"] for name in refs(source)} == sources
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    claims = [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in pod()["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    ]
    assert claims == [manifest("logs")["metadata"]["name"]]


def refs(source: dict[str, dict[str, str]]) -> list[str]:
    return [reference["name"] for reference in source.values()]


def test_pods_run_as_the_user_of_the_image_and_have_time_to_drain() -> None:
    user = re.findall(r"^USER (\d+)$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)[-1]
    context = pod()["spec"]["securityContext"]
    assert {context["runAsUser"], context["runAsGroup"], context["fsGroup"]} == {int(user)}
    [server] = pod()["spec"]["containers"]
    [program, seconds] = server["lifecycle"]["preStop"]["exec"]["command"]
    assert program == "sleep"
    assert pod()["spec"]["terminationGracePeriodSeconds"] >= int(seconds) + DRAINING
    for container in containers():
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["resources"]["limits"]["memory"]
