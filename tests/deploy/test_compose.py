"""deploy/compose fits together: each name, path and port that one file says is there in another."""

import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from stream.cli.app import app
from stream.cli.embedded import LEAVING_S
from stream.config import Settings, check_labels, doubts, load
from tests.support.compose import (
    FOLDER,
    ROOT,
    SECRETS,
    Service,
    as_docker_reads,
    document,
    services,
    words_after,
)
from tests.support.prometheus import require_prometheus
from tests.support.required import require

ALL = pytest.mark.parametrize("service", services().values(), ids=services().keys())
OURS = pytest.mark.parametrize(
    "service", [each for each in services().values() if each.is_ours and each.given.get("command")],
    ids=lambda service: service.name,
)  # fmt: skip
ROLES = {name for name, each in services().items() if each.is_role}


def settings() -> Settings:
    """The configuration of the roles; its secrets are where containers have them."""
    return load(FOLDER / "maskstream" / "config.yaml", secrets=False)


def read(path: str) -> Any:
    return yaml.safe_load((FOLDER / path).read_text())


def host_and_port(url: str) -> tuple[str, int]:
    found = re.search(r"([a-z0-9.-]+):(\d+)", url.partition("://")[2] or url)
    assert found, url
    return found[1], int(found[2])


@ALL
def test_an_image_has_a_tag_and_no_host(service: Service) -> None:
    assert re.fullmatch(r"([a-z-]+/)?[a-z-]+:v?\d[\w.-]*", service.given["image"])


@ALL
def test_a_container_may_do_nothing_that_it_does_not_need(service: Service) -> None:
    given = service.given
    assert given["read_only"] is True
    assert given["cap_drop"] == ["ALL"]
    assert given["security_opt"] == ["no-new-privileges:true"]
    assert service.user[0] > 0
    assert {"privileged", "cap_add", "network_mode", "pid"}.isdisjoint(given)


@ALL
def test_a_container_has_a_limit_of_memory_and_is_started_again(service: Service) -> None:
    assert re.fullmatch(r"\d+[mg]", service.given["mem_limit"])
    is_done_once = service.name.startswith("apply-")
    assert service.given["restart"] == ("on-failure:5" if is_done_once else "unless-stopped")


def test_ports_are_published_on_this_machine_alone_and_only_once() -> None:
    ports = [port for each in services().values() for port in each.given.get("ports", [])]
    assert all(re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in ports)
    assert len(set(ports)) == len(ports)


@ALL
def test_what_is_mounted_is_there_and_cannot_be_written(service: Service) -> None:
    for mount in service.mounts:
        if mount.path is None:
            assert mount.source in document()["volumes"]
        else:
            assert mount.path.exists()
            assert mount.is_read_only


def test_every_volume_and_every_secret_is_used() -> None:
    mounted = {mount.source for each in services().values() for mount in each.mounts}
    shown = {name for each in services().values() for name in each.secrets}
    assert document()["volumes"].keys() <= mounted
    assert document()["secrets"].keys() == shown


@ALL
def test_what_runs_on_has_a_health_check_and_what_is_done_once_has_none(service: Service) -> None:
    checked = service.given.get("healthcheck", {})
    if service.name.startswith("apply-"):
        assert checked == {"disable": True}
    elif service.name != "dcgm-exporter":
        assert service.health


@ALL
def test_what_a_service_waits_for_is_there_and_can_be_waited_for(service: Service) -> None:
    for name, how in service.given.get("depends_on", {}).items():
        other = services()[name].given
        if how["condition"] == "service_healthy":
            assert "healthcheck" in other
        else:
            assert how["condition"] == "service_completed_successfully"
            assert other["restart"].startswith("on-failure")


@OURS
def test_the_command_can_be_typed(service: Service) -> None:
    assert_can_be_typed(service.given["command"])


def test_commands_of_the_readme_can_be_typed() -> None:
    text = (FOLDER / "README.md").read_text()
    shown = re.findall(r"docker compose run --rm apply-cameras (.+)", text)
    assert shown
    for words in shown:
        assert_can_be_typed(words.split())


def assert_can_be_typed(words: list[str]) -> None:
    command: Any = get_command(app)
    while hasattr(command, "commands"):
        name, *words = words
        command = command.commands[name]
    made = command.make_context("typed", words)
    assert "/etc/maskstream/config.yaml" in map(str, made.params.values())


def test_the_configuration_is_right_and_nothing_in_it_is_doubtful() -> None:
    model = services()["segment"].mounts[-1]
    assert model.target == str(settings().model.weights)
    assert model.path is not None
    check_labels(settings(), json.loads((model.path / "manifest.json").read_text())["labels"])
    assert doubts(settings()) == []


def test_the_configuration_leads_to_services_that_are_there() -> None:
    led_to = [settings().transport, *(each.url for each in settings().cameras)]
    led_to += [each.url for each in settings().endpoints]
    assert {host_and_port(each) for each in led_to} == {
        ("kafka", 9092), ("rtsp", 8554), ("receiver", 9000), ("alertmanager", 9093),
    }  # fmt: skip


def test_every_alert_is_told_to_somebody() -> None:
    assert all(rule.notify for rule in settings().rules)


def test_a_role_has_the_secrets_that_it_uses_and_no_others() -> None:
    web = settings().web
    assert web is not None
    assert web.token is not None
    wanted = {
        "notify": {each.secret.file for each in settings().endpoints}, "web": {web.token.file},
    }  # fmt: skip
    for name in ROLES:
        assert {SECRETS / each for each in services()[name].secrets} == wanted.get(name, set())


@pytest.mark.parametrize("name", sorted(ROLES))
def test_a_role_may_take_its_time_to_drain(name: str) -> None:
    assert services()[name].grace_s > settings().drain + LEAVING_S


def test_prometheus_asks_every_role_where_it_answers() -> None:
    ours, card = read("prometheus/prometheus.yml")["scrape_configs"]
    (found,) = ours["dns_sd_configs"]
    assert set(found["names"]) == ROLES
    assert found["port"] == settings().health.port
    assert ours["honor_labels"] is True
    assert card["dns_sd_configs"][0]["names"] == ["dcgm-exporter"]
    for name in ROLES:
        assert f"('127.0.0.1', {settings().health.port}" in services()[name].health[-1]


def test_prometheus_reads_its_configuration_and_the_rules(tmp_path: Path) -> None:
    require_prometheus()
    text = (FOLDER / "prometheus" / "prometheus.yml").read_text()
    rules = next(each for each in services()["prometheus"].mounts if "rules" in each.target)
    assert f"{rules.target}/*.yaml" in text
    here = tmp_path / "prometheus.yml"
    here.write_text(text.replace(rules.target, str(rules.path)))
    done = subprocess.run(
        ["promtool", "check", "config", str(here)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 rule files found" in done.stdout


def test_alertmanager_reads_its_configuration() -> None:
    require("alertmanager", shutil.which("amtool") is not None, "amtool is absent")
    subprocess.run(
        ["amtool", "check-config", str(FOLDER / "alertmanager" / "alertmanager.yml")],
        capture_output=True, check=True,
    )  # fmt: skip
    (hook,) = read("alertmanager/alertmanager.yml")["receivers"][0]["webhook_configs"]
    assert hook["url"] == "http://receiver:9000/alertmanager"


@pytest.mark.slow
def test_docker_reads_the_file_as_these_tests_do() -> None:
    read = as_docker_reads()
    assert read["services"].keys() == services().keys()
    assert read["volumes"].keys() == document()["volumes"].keys()
    for name, service in services().items():
        other = read["services"][name]
        assert [*(other["entrypoint"] or []), *(other["command"] or [])] == service.command
        assert other.get("environment", {}) == service.environment
        assert (other["image"], other["user"]) == (service.given["image"], service.given["user"])
        mounts = {each["target"]: each["source"] for each in other.get("volumes", [])}
        assert mounts == {each.target: str(each.path or each.source) for each in service.mounts}
        secrets = {each["target"] for each in other.get("secrets", [])}
        assert secrets == {str(SECRETS / each) for each in service.secrets}
        assert (other.get("healthcheck", {}).get("test") or [])[1:] == service.health


@pytest.mark.slow
def test_a_camera_gets_its_password_as_the_readme_says(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", (FOLDER / "README.md").read_text(), re.DOTALL)
    override = tmp_path / "compose.override.yaml"
    override.write_text(block)
    (secret,) = as_docker_reads(override)["services"]["ingest"]["secrets"]
    assert secret["target"] == str(SECRETS / "hall.yaml")


@pytest.mark.parametrize(
    ("name", "option"), [("prometheus", "--config.file"), ("alertmanager", "--config.file"),
                         ("prometheus", "--storage.tsdb.path"), ("alertmanager", "--storage.path")],
)  # fmt: skip
def test_a_path_in_a_command_is_mounted(name: str, option: str) -> None:
    targets = {mount.target for mount in services()[name].mounts}
    assert words_after(services()[name].command, option) in targets


def test_grafana_finds_dashboards_and_prometheus() -> None:
    grafana = services()["grafana"]
    paths = {mount.target: mount.path for mount in grafana.mounts}
    (provider,) = read("grafana/provisioning/dashboards/maskstream.yaml")["providers"]
    boards = paths[provider["options"]["path"]]
    assert boards == ROOT / "dashboards" / "json"
    home = Path(grafana.environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert str(home.parent) == provider["options"]["path"]
    assert json.loads((boards / home.name).read_text())["title"] == "maskstream / Overview"
    assert paths["/etc/grafana/provisioning"] == FOLDER / "grafana" / "provisioning"
    (source,) = read("grafana/provisioning/datasources/maskstream.yaml")["datasources"]
    assert host_and_port(source["url"]) == ("prometheus", 9090)
    scraped = read("prometheus/prometheus.yml")["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == scraped


def test_the_camera_plays_a_clip_that_is_mounted_at_the_path_that_is_asked_for() -> None:
    (camera,) = settings().cameras
    name = camera.url.rpartition("/")[2]
    plays = read("rtsp/mediamtx.yml")["paths"][name]["runOnInit"]
    found = re.search(r"-i (\S+)", plays)
    assert found is not None
    assert found[1] in {mount.target for mount in services()["rtsp"].mounts}


def test_secrets_are_made_once_and_are_nobody_elses(tmp_path: Path) -> None:
    script = shutil.copy(FOLDER / "secrets.sh", tmp_path)
    subprocess.run([script], capture_output=True, check=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert made.keys() == document()["secrets"].keys()
    assert {each["file"] for each in document()["secrets"].values()} == {
        f"./secrets/{name}" for name in made
    }
    assert all(len(text.strip()) >= 24 for text in made.values())
    assert stat.S_IMODE(os.stat(tmp_path / "secrets").st_mode) == 0o700
    assert {stat.S_IMODE(os.stat(tmp_path / "secrets" / name).st_mode) for name in made} == {0o444}
    subprocess.run([script], capture_output=True, check=True)
    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == made


def test_what_the_readme_names_is_there() -> None:
    text = (FOLDER / "README.md").read_text()
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([\w-]+)`", row)}
    assert named == {
        name for name, each in services().items()
        if not each.given.get("profiles") and not name.startswith("apply-")
    }  # fmt: skip
    published = {port for each in services().values() for port in each.given.get("ports", [])}
    shown = set(re.findall(r"127\.0\.0\.1:(\d+)", text))
    assert shown == {port.rpartition(":")[2] for port in published}
    for variable in re.findall(r"`(MASKSTREAM_\w+)`", text):
        assert f"${{{variable}:-" in (FOLDER / "compose.yaml").read_text()
