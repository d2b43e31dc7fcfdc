"""The examples of docs/consuming.md, on a real broker."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from connectors.kafka import KafkaTransport
from connectors.kafka.topics import name_of
from stream import codec
from tests.support.build import closed, gap, instance, opened, rectangle, result
from tests.support.kafka_transport import kafka_settings
from tests.support.required import require
from tests.support.topics import PATIENCE_S, fill

PAGE = Path(__file__).parents[2] / "docs" / "consuming.md"
BOX = (10, 8, 30, 24)


def code(language: str, number: int) -> str:
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return blocks[number]


def example(number: int, **names: Any) -> dict[str, Any]:
    exec(code("python", number), names)
    return names


async def filled(bootstrap: str, *sent: Any) -> str:
    """The name of a topic of masks with these messages."""
    settings = kafka_settings(bootstrap)
    transport = KafkaTransport(settings)
    await transport.apply()
    async with transport.outbox("masks") as outbox:
        await fill(outbox, "masks", sent)
    return name_of("masks", settings.kafka)


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # pycocotools' own
def test_a_mask_in_three_lines() -> None:
    value = bytes(codec.encode(result(0, "hall", instance(BOX))).value)
    array = example(0, value=value)["array"]
    assert np.array_equal(array, rectangle(BOX).bitmap())


async def test_a_consumer_reads_each_frame_once(kafka: str) -> None:
    some = result(0, "hall", instance(BOX))
    topic = await filled(kafka, opened(), some, some, gap(1, 2, "stale"), result(3), closed(4))
    lines = await example(1)["people"](kafka, topic, 3)
    assert lines == [
        "hall/1/0: 1 people, 10.4% of the picture",
        "hall 1-2: stale",
        "hall/1/3: 0 people, 0.0% of the picture",
    ]


def shell(number: int, bootstrap: str, topic: str) -> list[str]:
    """The lines that an example for the shell prints, without the blanks around them."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code("sh", number)],
        env={**os.environ, "BROKER": bootstrap, "TOPIC": topic},
        check=False, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [line.strip() for line in done.stdout.splitlines()]


async def test_a_shell_counts_labels_reads_one_camera_and_lists_gaps(kafka: str) -> None:
    installed = shutil.which("kcat") is not None and shutil.which("jq") is not None
    require("kcat", installed, "no kcat or no jq: tests/setup/kcat.sh installs them")
    box, person = instance(BOX, "box"), instance(BOX)
    topic = await filled(
        kafka,
        opened("hall"),
        result(0, "hall", person, person, box),
        gap(1, 2, "stale"),
        result(3, "hall"),
        closed(4, "hall"),
        opened("yard"),
        result(0, "yard", person),
    )
    assert shell(0, kafka, topic) == ["1 box", "3 person"]
    assert shell(1, kafka, topic) == [
        '["hall",1,0,[["person",0.75],["person",0.75],["box",0.75]]]',
        '["hall",1,3,[]]',
    ]
    assert shell(2, kafka, topic) == ["hall/1 1-2: stale"]
