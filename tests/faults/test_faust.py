"""``watch`` hosted on Faust: what its own host keeps, this one keeps."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from stream import codec
from stream.errors import EXIT_DRAIN_TIMEOUT, EXIT_OK, EXIT_SOFTWARE
from stream.ports import Record
from stream.types import MaskMessage
from tests.support.build import closed, opened, result
from tests.support.kafka import cluster, require_kafka
from tests.support.roles import deployment
from tests.support.waiting import wait_until

WATCH = "watch --host faust"


def masks(frames: int) -> list[Record]:
    """What ``masks`` has of a short file."""
    messages: list[MaskMessage] = [opened("yard")]
    messages += [result(seq, "yard") for seq in range(frames)]
    return [codec.encode(each) for each in (*messages, closed(frames, "yard"))]


@pytest.mark.slow
def test_poison_costs_itself_and_a_newer_writer_stops_without_a_commit(
    tmp_path: Path, kafka: str
) -> None:
    whole = masks(20)
    torn = replace(whole[5], value=bytes(whole[5].value)[:-9])
    strange = [torn, Record("yard", b"", {}), Record("", b"\x80\x04pickle.", {})]
    newer = replace(whole[6], headers={**whole[6].headers, "ce_type": b"maskstream.result.v9"})
    with deployment(tmp_path, kafka) as deployed:
        (watch,) = deployed.start(WATCH)
        deployed.write("masks", [*whole[:10], *strange, *whole[10:]])
        wait_until(lambda: deployed.records("tracks") == 20, "20 tracks")
        wait_until(lambda: deployed.records("dead-letters") == 3, "3 dead letters")
        wait_until(partial(watch.answers, "/readyz"), "it is ready")
        deployed.write("masks", [newer])
        assert watch.popen.wait(30) == EXIT_SOFTWARE, watch.text()[-2000:]
        (again,) = deployed.start(WATCH)
        assert again.popen.wait(30) == EXIT_SOFTWARE, again.text()[-2000:]


def test_it_stops_when_asked_with_all_done(tmp_path: Path, kafka: str) -> None:
    with deployment(tmp_path, kafka) as deployed:
        (watch,) = deployed.start(WATCH)
        deployed.write("masks", masks(200))
        wait_until(lambda: deployed.records("tracks") > 0, "it works")
        assert watch.stop() == EXIT_OK
        (watch,) = deployed.start(WATCH)
        wait_until(lambda: deployed.records("tracks") == 200, "every result has its tracks")
        assert watch.stop() == EXIT_OK


@pytest.mark.long
@pytest.mark.slow
def test_a_stop_without_a_broker_ends_in_time(tmp_path: Path) -> None:
    require_kafka()
    with cluster(1) as (node,), deployment(tmp_path, node.bootstrap) as deployed:
        (watch,) = deployed.start(WATCH)
        deployed.write("masks", masks(20))
        wait_until(lambda: deployed.records("tracks") == 20, "20 tracks")
        node.kill()
        assert watch.stop() in {EXIT_OK, EXIT_DRAIN_TIMEOUT}, watch.text()[-2000:]
