"""Roles on a broker that encrypts and asks for a password."""

import json
import re
from pathlib import Path

import pytest

from stream.errors import EXIT_OK, EXIT_UNAVAILABLE
from tests.faults.verdict import assert_whole, wait_for_alerts
from tests.support.roles import deployment
from tests.support.secured import WRONG, Secured

MECHANISM = "SCRAM-SHA-512"
ROLES = ("ingest", "segment")
COMMANDS = (*ROLES, "audit", "topics apply")


@pytest.mark.slow
def test_roles_work_over_encryption_with_a_login(tmp_path: Path, secured: Secured) -> None:
    kafka = {"tls": secured.tls(), "sasl": secured.sasl(MECHANISM)}
    with deployment(tmp_path, secured.address("SASL_SSL"), kafka=kafka) as deployed:
        readers = deployed.start("segment", "watch", "notify")
        deployed.start("ingest")
        assert_whole(deployed.wait_closed())
        wait_for_alerts(deployed)
        assert "complete" in deployed.command("audit")
        shown = [deployed.command("check"), *(each.get("/metrics") for each in readers)]
        shown += [Path(f"/proc/{each.popen.pid}/cmdline").read_text() for each in readers]
        assert [each.stop() for each in readers] == [EXIT_OK] * 3
        shown += [each.text() for each in deployed.processes]
        assert "canary" not in "".join(shown)


def test_a_wrong_password_ends_a_command_with_one_line(tmp_path: Path, secured: Secured) -> None:
    kafka = {"tls": secured.tls(), "sasl": secured.sasl(MECHANISM)}
    address = secured.address("SASL_SSL")
    with deployment(tmp_path, address, kafka=kafka) as deployed:
        document = json.loads(deployed.config.read_text())
        document["kafka"]["sasl"] = secured.sasl(MECHANISM, WRONG)
        deployed.config.write_text(json.dumps(document))
        for command in COMMANDS:
            done = deployed.tried(*command.split())
            assert done.returncode == EXIT_UNAVAILABLE, done.stderr
            one_line = rf"kafka: {address}: the login is refused: .*; check kafka\.sasl"
            (said,) = done.stderr.splitlines()
            told = json.loads(said)["event"] if command in ROLES else said
            assert re.fullmatch(one_line, told), done.stderr
            assert "canary" not in done.stdout + done.stderr
