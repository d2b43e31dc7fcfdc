"""A real Alertmanager on this machine, and the webhook that it tells."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.support.http_server import Quiet, answering
from tests.support.kafka import free_ports
from tests.support.required import require
from tests.support.waiting import wait_until

NAME = "prometheus-alertmanager"


@dataclass
class Alertmanager:
    """One that runs. ``told`` is what it has sent to its webhook, as it came."""

    url: str
    told: list[dict[str, Any]] = field(default_factory=list)

    def alerts(self) -> list[dict[str, Any]]:
        """What ``GET /api/v2/alerts`` answers: those that are not over."""
        found: list[dict[str, Any]] = json.loads(self._ask("/api/v2/alerts"))
        return found

    def states(self) -> dict[str, str]:
        """``active`` or ``suppressed``, by ``alert_id``."""
        return {each["labels"]["alert_id"]: each["status"]["state"] for each in self.alerts()}

    def post(self, alert: dict[str, Any]) -> None:
        """Post an alert as another program does."""
        self._ask("/api/v2/alerts", [alert])

    def silence(self, label: str, value: str) -> None:
        """Hold back the alerts with such a label, for an hour."""
        now = datetime.now(UTC)
        matcher = {"name": label, "value": value, "isRegex": False, "isEqual": True}
        times = {"startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=1)).isoformat()}
        words = {"createdBy": "a test", "comment": "a test"}
        self._ask("/api/v2/silences", {"matchers": [matcher], **times, **words})

    def is_ready(self) -> bool:
        try:
            self._ask("/-/ready")
        except URLError:
            return False
        return True

    def _ask(self, path: str, given: object = None) -> bytes:
        data = None if given is None else json.dumps(given).encode()
        request = Request(self.url + path, data, {"content-type": "application/json"})
        with urlopen(request) as answer:
            return bytes(answer.read())


def require_alertmanager() -> None:
    """Skip, or fail where ``MASKSTREAM_REQUIRE`` names it, without an Alertmanager."""
    found = shutil.which(NAME) is not None
    require("alertmanager", found, f"{NAME} is absent; tests/setup/alertmanager.sh installs it")


@contextmanager
def alertmanager(folder: Path) -> Iterator[Alertmanager]:
    """One that groups nothing, tells at once, and takes an alert without an end for over soon."""
    require_alertmanager()
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    running = Alertmanager(f"http://{address}")
    with _hook(running) as hook, (folder / "alertmanager.log").open("wb") as log:
        config = folder / "alertmanager.yml"
        config.write_text(json.dumps(_config(hook)))
        options = {
            "config.file": config, "storage.path": folder / "kept",
            "web.listen-address": address, "cluster.listen-address": "",
        }  # fmt: skip
        command = [NAME, *(f"--{name}={value}" for name, value in options.items())]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: running.is_ready() or process.poll() is not None, "it is ready")
            assert process.poll() is None, (folder / "alertmanager.log").read_text()
            yield running
        finally:
            process.kill()
            process.wait()


def _config(hook: str) -> dict[str, Any]:
    route = {
        "receiver": "hook", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s",
        "repeat_interval": "1h",
    }  # fmt: skip
    receivers = [{"name": "hook", "webhook_configs": [{"url": hook}]}]
    return {"global": {"resolve_timeout": "1s"}, "route": route, "receivers": receivers}


@contextmanager
def _hook(running: Alertmanager) -> Iterator[str]:
    class Hook(Quiet):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            running.told.append(json.loads(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

    with answering(Hook) as port:
        yield f"http://127.0.0.1:{port}/"
