"""Pictures of alerts, from the brokers' topics to the store that the receiver's link leads to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
import simplejpeg
from msgspec import structs

from stream import codec
from stream.types import Alert, Encoded, Evidence, Frame, Result
from tests.support import build
from tests.support.clock import START_US
from tests.support.receiver import UP, Receiver, receiver
from tests.support.roles import Deployment, deployment
from tests.support.s3 import BUCKET, Bucket, bucket
from tests.support.scene import alert
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

SIZE = (96, 128)
STEP_US = 100_000
TRIES = 20


def grey(seq: int) -> int:
    """How bright a frame is: no two are alike."""
    return 40 + 15 * seq


def shot(seq: int) -> Frame:
    pixels = build.picture((0, 0, SIZE[1], SIZE[0]), size=SIZE, grey=grey(seq))
    jpeg = simplejpeg.encode_jpeg(pixels, colorspace="BGR")
    time_us = START_US + seq * STEP_US
    return build.frame(seq, "yard", time_us=time_us, size=SIZE, image=Encoded(jpeg))


def seen(seq: int) -> Result:
    return build.result(seq, "yard", build.instance((8, 8, 24, 40), size=SIZE), size=SIZE)


TOLD = structs.replace(
    alert(camera="yard"),
    id="a1",
    rule="person-inside",
    zone=None,
    notify=("ops",),
    evidence=Evidence(1, 5, 0.75, 0.8, (8.0, 8.0, 24.0, 40.0), seen(5).instances[0].mask),
)


@contextmanager
def notifying(
    folder: Path, kafka: str, ops: Receiver, evidence: dict[str, Any]
) -> Iterator[Deployment]:
    """A ``notify`` that runs, and ten frames with their results in the topics."""
    with deployment(folder, kafka, evidence=evidence) as deployed:
        deployed.tell(ops)
        deployed.write("frames-archive", [codec.encode_frame(shot(seq)) for seq in range(10)])
        deployed.write("masks", [codec.encode(seen(seq)) for seq in range(10)])
        (process,) = deployed.start("notify")
        wait_until(partial(process.answers, "/readyz"), "notify is ready")
        yield deployed


def tell(deployed: Deployment, ops: Receiver, told: Alert = TOLD) -> dict[str, Any]:
    """Raise an alert; returns what its receiver was told."""
    before = set(ops.bodies)
    deployed.write("alerts", [codec.encode(told)])
    wait_until(lambda: bool(set(ops.bodies) - before), "the alert was delivered")
    (name,) = set(ops.bodies) - before
    (body,) = ops.bodies[name]
    data: dict[str, Any] = json.loads(body)["data"]
    return data


def linked(deployed: Deployment, ops: Receiver) -> tuple[str, str]:
    """Raise alerts until one has a picture: none waits for long for its own, and a busy machine may
    take longer. Returns the link, and the name in the store.
    """
    for number in range(1, TRIES + 1):
        told = tell(deployed, ops, structs.replace(TOLD, id=f"a{number}"))
        if "snapshot" in told:
            return told["snapshot"], f"yard/2023-11-14/a{number}/1-5.jpg"
    raise AssertionError(f"none of {TRIES} alerts has a picture")


def brightness(jpeg: bytes) -> float:
    """Of the picture's upper right quarter, where nothing is drawn."""
    pixels = simplejpeg.decode_jpeg(jpeg, colorspace="BGR")
    return float(np.median(pixels[: SIZE[0] // 2, SIZE[1] // 2 :]))


def s3(bucket: Bucket, folder: Path, **other: str) -> dict[str, Any]:
    secrets = {"key": bucket.key, "secret": bucket.secret, **other}
    for name, value in secrets.items():
        (folder / f"s3-{name}").write_text(value)
    files = {name: {"file": str(folder / f"s3-{name}")} for name in secrets}
    return {"store": f"s3://{BUCKET}/cams", "s3": {"endpoint": bucket.url, **files}}


def test_an_alert_links_the_picture_of_its_frame_in_a_folder(tmp_path: Path, kafka: str) -> None:
    store = {"store": str(tmp_path / "out")}
    with receiver(UP) as ops, notifying(tmp_path, kafka, ops, store) as deployed:
        link, name = linked(deployed, ops)
    path = Path(unquote(urlsplit(link).path))
    assert path == tmp_path / "out" / name
    assert brightness(path.read_bytes()) == pytest.approx(grey(5), abs=3)


def test_an_alert_links_the_picture_of_its_frame_in_a_bucket_until_it_is_purged(
    tmp_path: Path, kafka: str
) -> None:
    with (
        bucket() as own,
        receiver(UP) as ops,
        notifying(tmp_path, kafka, ops, s3(own, tmp_path)) as deployed,
    ):
        link, name = linked(deployed, ops)
        assert link == f"s3://{BUCKET}/cams/{name}"
        assert brightness(own.content(f"cams/{name}")) == pytest.approx(grey(5), abs=3)

        assert deployed.command("evidence", "purge", more=["--camera", "hall"]) == ""
        assert f"cams/{name}" in own.names()
        purged = deployed.command("evidence", "purge", more=["--camera", "yard"])
        assert name in purged.splitlines()
        assert own.names() == []


@pytest.mark.long
def test_an_alert_goes_out_without_a_link_where_the_bucket_refuses_us(
    tmp_path: Path, kafka: str
) -> None:
    with bucket() as own, receiver(UP) as ops:
        refused = s3(own, tmp_path, secret="not the secret that belongs to the key")
        with notifying(tmp_path, kafka, ops, refused) as deployed:
            assert "snapshot" not in tell(deployed, ops)
            (process,) = deployed.processes
            assert f"evidence.store s3://{BUCKET}/cams: " in process.text()
            done = deployed.tried("evidence", "purge")
            assert done.returncode != 0
            assert f"evidence.store s3://{BUCKET}/cams: " in done.stderr
            assert "signature" in done.stderr
        assert own.names() == []


@pytest.mark.long
def test_an_alert_goes_out_without_a_link_while_the_bucket_is_away(
    tmp_path: Path, kafka: str
) -> None:
    with (
        bucket() as own,
        receiver(UP) as ops,
        notifying(tmp_path, kafka, ops, s3(own, tmp_path)) as deployed,
    ):
        own.away()
        assert "snapshot" not in tell(deployed, ops)
        assert ops.taken.total() == 1
