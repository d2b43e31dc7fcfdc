"""``maskstream cameras`` as a user types it, on a real broker."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors import open_transport
from stream import codec
from stream.config import load
from stream.errors import EXIT_CONFIG, EXIT_OK
from stream.registry import Change
from stream.specs import CameraSpec
from stream.types import CameraStatus
from tests.support.roles import DATA, Deployment, deployment
from tests.support.waiting import wait_until

HALL = {"id": "hall", "url": "rtsp://127.0.0.1/hall"}
YARD = {"id": "yard", "url": "rtsp://127.0.0.1/yard", "fps": 5}
SAME = "all cameras are as they should be\n"


@pytest.fixture
def deployed(tmp_path: Path, kafka: str) -> Iterator[Deployment]:
    """A deployment whose registry has one camera."""
    with deployment(tmp_path, kafka, cameras=[HALL], zones=[], rules=[]) as deployed:
        yield deployed


def statuses(deployed: Deployment, camera: str) -> list[CameraStatus]:
    """All that was told of a camera, in order."""

    async def read() -> list[CameraStatus]:
        settings = load(deployed.config, secrets=False)
        whole = open_transport(settings).whole("camera-status")
        found = [codec.decode(record) async for record in whole]
        return [each for each in found if isinstance(each, CameraStatus) and each.camera == camera]

    return asyncio.run(read())


def listed(deployed: Deployment) -> list[list[str]]:
    return [line.split() for line in deployed.command("cameras", "list").splitlines()]


def apply(deployed: Deployment, text: str, *options: str) -> str:
    path = deployed.folder / "cameras.yaml"
    path.write_text(text)
    return deployed.command("cameras", "apply", *options, more=[str(path)])


def test_a_list_is_applied_once_and_says_what_it_changes(deployed: Deployment) -> None:
    assert listed(deployed) == [["hall", "0", "live", "rtsp://127.0.0.1/hall"]]
    assert deployed.command("cameras", "apply") == SAME
    both = json.dumps({"cameras": [{**HALL, "fps": 2}, YARD]})
    told = "~ hall: fps: null -> 2.0\n+ yard: rtsp://127.0.0.1/yard, partition 1\n"
    assert apply(deployed, both, "--dry-run") == told
    assert len(listed(deployed)) == 1
    assert apply(deployed, both) == told
    assert apply(deployed, both) == SAME
    assert listed(deployed) == [
        ["hall", "0", "live", "rtsp://127.0.0.1/hall", "fps:", "2.0"],
        ["yard", "1", "live", "rtsp://127.0.0.1/yard", "fps:", "5.0"],
    ]
    assert apply(deployed, json.dumps({"cameras": [YARD]})) == "- hall\n"
    assert [line[:2] for line in listed(deployed)] == [["yard", "1"]]


def test_one_camera_comes_and_goes(deployed: Deployment) -> None:
    path = deployed.folder / "yard.yaml"
    path.write_text("id: yard\nurl: rtsp://127.0.0.1/yard\n")
    told = "+ yard: rtsp://127.0.0.1/yard, partition 1\n"
    assert deployed.command("cameras", "add", more=[str(path)]) == told
    assert deployed.command("cameras", "add", more=[str(path)]) == SAME
    other = deployed.tried("cameras", "add", more=["-"], given="{id: yard, url: rtsp://c/9}")
    assert other.returncode == EXIT_CONFIG
    assert "stdin: id: given yard, which is there already as another camera" in other.stderr
    gone = deployed.tried("cameras", "remove", more=["yrd"])
    assert (gone.returncode, gone.stderr) == (
        EXIT_CONFIG, "unknown camera yrd, did you mean yard?\n",
    )  # fmt: skip
    assert deployed.command("cameras", "remove", more=["yard"]) == "- yard\n"
    assert [line[0] for line in listed(deployed)] == ["hall"]


def test_a_bad_list_is_told_with_its_places_and_changes_nothing(deployed: Deployment) -> None:
    path = deployed.folder / "bad.yaml"
    path.write_text(
        "cameras:\n"
        "- {id: dock, url: rtsp://127.0.0.1/dock}\n"
        "- {id: gate, url: 'rtsp://me:hunter2@127.0.0.1/gate'}\n"
        "- {id: roof, url: ftp://127.0.0.1/roof}\n"
        "- {id: film, url: film.mp4}\n"
    )
    done = deployed.tried("cameras", "apply", more=[str(path)])
    assert done.returncode == EXIT_CONFIG
    assert "hunter2" not in done.stderr + done.stdout
    gate, roof, film = done.stderr.splitlines()
    assert gate.startswith(f"{path}:3: cameras[1].url: camera gate: given ")
    assert roof.startswith(f"{path}:4: cameras[2].url: camera roof: given ")
    assert film.startswith(f"{path}:5: cameras[3].url: camera film: given ")
    assert [line[0] for line in listed(deployed)] == ["hall"]


def test_a_registry_without_cameras_says_so(deployed: Deployment) -> None:
    deployed.command("cameras", "remove", more=["hall"])
    for command in ("list", "status"):
        done = deployed.tried("cameras", command)
        assert (done.returncode, done.stdout, done.stderr) == (EXIT_OK, "", "cameras: 0\n")


def test_the_state_of_each_camera_is_told(deployed: Deployment) -> None:
    assert "connecting" in deployed.command("cameras", "status")
    since_us = 1_700_000_000_000_000
    lost = CameraStatus("hall", "lost", since_us + 9_000_000, "Connection refused", since_us)
    deployed.write("camera-status", [codec.encode(lost)])
    assert deployed.command("cameras", "status") == (
        "hall  lost  2023-11-14T22:13:20.000000Z  Connection refused\n"
    )


def state(deployed: Deployment, camera: str) -> str:
    told = (line.split() for line in deployed.command("cameras", "status").splitlines())
    return next((line[1] for line in told if line[0] == camera), "")


def test_cameras_come_and_go_while_an_ingest_runs(deployed: Deployment) -> None:
    film = {"url": str(DATA / "yard.mp4"), "loop": True, "fps": 2}
    deployed.configure(allowed={"folder": str(DATA)})
    (ingest,) = deployed.start("ingest")
    apply(deployed, json.dumps({"cameras": [{"id": "yard", **film}]}))
    wait_until(lambda: state(deployed, "yard") == "live", "the first is live")
    apply(deployed, json.dumps({"cameras": [{"id": "yard", **film}, {"id": "dock", **film}]}))
    wait_until(lambda: state(deployed, "dock") == "live", "the second is live")
    deployed.command("cameras", "remove", more=["yard"])
    wait_until(lambda: state(deployed, "yard") == "", "the first has gone")
    assert state(deployed, "dock") == "live"
    assert ingest.stop() == EXIT_OK
    (gone,) = [each for each in statuses(deployed, "yard") if each.state == "ended"]
    assert gone.reason == "removed"
    assert [each.state for each in statuses(deployed, "dock")].count("live") == 1


def test_a_camera_that_was_never_there_stays_lost_with_its_reason(deployed: Deployment) -> None:
    deployed.configure(cameras=[{"id": "hall", "url": "rtsp://127.0.0.1:1/hall"}])
    deployed.start("ingest")

    def told() -> list[tuple[str, str]]:
        return [(each.state, each.reason) for each in statuses(deployed, "hall")]

    lost = ("lost", "Connection refused")
    wait_until(lambda: {lost, ("connecting", "claimed")} <= set(told()), "it has an epoch")
    assert told()[-1] == lost


def test_who_writes_the_registry_does_not_read_files_of_the_machine(deployed: Deployment) -> None:
    secret = CameraSpec(id="peek", url=str(DATA / "yard.mp4"), partition=0)
    deployed.write("cameras", [Change(None, secret).record(0, since=0)])
    (ingest,) = deployed.start("ingest")
    wait_until(lambda: state(deployed, "peek") == "failed", "it was refused")
    assert "a file needs allowed.folder" in deployed.command("cameras", "status")
    ingest.stop()
    assert statuses(deployed, "peek")[-1].state == "failed"


def test_without_a_list_the_registry_says_which_cameras_rules_may_name(
    deployed: Deployment,
) -> None:
    zone = {"id": "exit", "camera": "yard", "polygon": [[0, 0], [1, 0], [1, 1]]}
    document = json.loads(deployed.config.read_text()) | {"zones": [zone]}
    del document["cameras"]
    deployed.config.write_text(json.dumps(document))
    assert deployed.tried("check").returncode == EXIT_OK
    done = deployed.tried("watch")
    assert done.returncode == EXIT_CONFIG
    assert "zones[0].camera: zone exit: unknown camera" in done.stderr
    done = deployed.tried("cameras", "apply")
    assert "cameras: has none; name a file" in done.stderr
