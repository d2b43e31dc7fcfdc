"""``maskstream alerts try``: a test alert at a real receiver, and what is told of it."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stream.cli.trial import try_endpoint
from stream.errors import EXIT_DIFFERENT, EXIT_OK, ConfigError
from stream.notify.trial import KIND, trial
from tests.support.kafka import free_ports
from tests.support.receiver import DOWN, SECRET, UP, Receiver, receiver

NOW_US = 1_800_000_000_000_000
OTHER_SECRET = "YW5vdGhlciBrZXkgdGhhdCBub2JvZHkga25vd3M="
CANARY = "c4nary-in-the-path"
Configured = Callable[..., Path]


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configured:
    """Writes a configuration with an endpoint ``ops`` at a URL."""
    monkeypatch.setenv("OPS_SECRET", SECRET)

    def write(url: str, transport: str = "memory://", **more: object) -> Path:
        secret = {"env": "OPS_SECRET"}
        endpoint = {"id": "ops", "url": url, "secret": secret, "allow_private": True} | more
        camera = {"id": "hall", "url": "hall.mp4", "mode": "archive"}
        settings = {"transport": transport, "model": {"weights": "yolo"}, "cameras": [camera]}
        path = tmp_path / "c.yaml"
        path.write_text(json.dumps({**settings, "endpoints": [endpoint]}))
        return path

    return write


def events(ops: Receiver) -> list[Any]:
    """What came, in order; each of one try alone."""
    assert all(len(bodies) == 1 for bodies in ops.bodies.values())
    return [json.loads(body) for (body,) in ops.bodies.values()]


def test_a_test_alert_opens_and_ends_and_cannot_be_taken_for_a_real_one(
    configured: Configured, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiver(UP) as ops:
        assert try_endpoint(configured(ops.url), "ops") == EXIT_OK
        assert {*ops.taken.values()} == {1}
        opened, over = events(ops)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" (")[0] for line in lines] == [
        "opened: taken: 200 OK",
        "resolved: taken: 200 OK",
    ]
    assert all(line.endswith(" ms)") for line in lines)
    assert (opened["type"], over["type"]) == ("alert.opened", "alert.resolved")
    assert opened["data"]["id"] == over["data"]["id"]
    for each in (opened["data"], over["data"]):
        assert (each["rule"], each["kind"], each["severity"]) == ("test", KIND, "info")
        assert each["detail"] == "a test of endpoint ops: nothing was seen"
        assert (each["tracks"], each["evidence"]) == ([], None)


def test_each_test_is_another_alert_so_that_a_receiver_takes_it_for_no_repeat(
    configured: Configured,
) -> None:
    with receiver(UP) as ops:
        for _ in range(2):
            try_endpoint(configured(ops.url), "ops")
        assert len(ops.taken) == 4
        assert len({each["data"]["id"] for each in events(ops)}) == 2


def test_it_is_over_as_soon_as_it_is_sent_and_began_before() -> None:
    opened, over = trial("ops", NOW_US)
    assert (over.time_us, over.opened_us) == (NOW_US, opened.time_us)
    assert opened.time_us == opened.opened_us < NOW_US
    assert trial("ops", NOW_US + 1)[0].id != opened.id


def test_a_receiver_that_is_down_is_told_with_its_answer_and_tried_once(
    configured: Configured, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiver(DOWN) as ops:
        assert try_endpoint(configured(ops.url), "ops") == EXIT_DIFFERENT
        assert [each["type"] for each in events(ops)] == ["alert.opened"]
    told = capsys.readouterr()
    assert not told.out
    assert told.err.startswith(
        "opened: not taken: endpoint ops (127.0.0.1): 503 Service Unavailable ("
    )


def test_a_receiver_with_another_secret_refuses_it(
    configured: Configured, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiver(UP, OTHER_SECRET) as ops:
        assert try_endpoint(configured(ops.url), "ops") == EXIT_DIFFERENT
        assert (ops.refused, len(ops.taken)) == (1, 0)
    assert "401 Unauthorized" in capsys.readouterr().err


def test_where_nobody_listens_the_reason_is_told_without_path_and_secret(
    configured: Configured, capsys: pytest.CaptureFixture[str]
) -> None:
    (port,) = free_ports(1)
    assert try_endpoint(configured(f"http://127.0.0.1:{port}/{CANARY}"), "ops") == EXIT_DIFFERENT
    told = capsys.readouterr().err
    assert told.startswith("opened: not taken: endpoint ops (127.0.0.1): ClientConnectorError: ")
    assert CANARY not in told
    assert SECRET not in told


def test_a_public_name_that_leads_to_a_private_address_is_not_followed(
    configured: Configured, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiver(UP) as ops:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", ops.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
        config = configured(f"https://hooks.example.com:{ops.port}/{CANARY}", allow_private=False)
        assert try_endpoint(config, "ops") == EXIT_DIFFERENT
        assert not ops.bodies
    told = capsys.readouterr().err
    assert "address 127.0.0.1 is not public; set allow_private to allow it" in told
    assert CANARY not in told


def test_no_broker_is_needed_for_it(configured: Configured) -> None:
    with receiver(UP) as ops:
        config = configured(ops.url, transport="kafka://127.0.0.1:9")
        assert try_endpoint(config, "ops") == EXIT_OK


@pytest.mark.parametrize("form", ["alertmanager", "alertmanager-v4"])
def test_it_is_worded_as_the_endpoint_asks(configured: Configured, form: str) -> None:
    with receiver(UP) as ops:
        assert try_endpoint(configured(ops.url, body=form), "ops") == EXIT_OK
        posted = [each[0] if form == "alertmanager" else each["alerts"][0] for each in events(ops)]
    for each in posted:
        assert (each["labels"]["alertname"], each["labels"]["kind"]) == ("test", KIND)
        assert each["annotations"]["description"] == "a test of endpoint ops: nothing was seen"


def test_an_endpoint_that_is_not_configured_is_refused_by_name(configured: Configured) -> None:
    config = configured("https://ops.example/hook")
    with pytest.raises(ConfigError) as refused:
        try_endpoint(config, "opps")
    assert str(refused.value) == (f"{config}: endpoints: unknown endpoint opps, did you mean ops?")


def test_a_secret_that_is_not_there_is_told_before_anything_is_sent(
    configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPS_SECRET")
    with receiver(UP) as ops:
        with pytest.raises(ConfigError, match="environment variable OPS_SECRET is not set"):
            try_endpoint(configured(ops.url), "ops")
        assert not ops.bodies
