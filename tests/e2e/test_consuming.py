"""The examples of docs/consuming.md, on a real broker."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from connectors.kafka import KafkaTransport
from connectors.kafka.topics import name_of
from stream import codec
from tests.support.build import closed, gap, instance, opened, rectangle, result
from tests.support.kafka_transport import kafka_settings
from tests.support.topics import fill

PAGE = Path(__file__).parents[2] / "docs" / "consuming.md"
BOX = (10, 8, 30, 24)


def example(number: int, **names: Any) -> dict[str, Any]:
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[number]
    exec(code, names)
    return names


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # pycocotools' own
def test_a_mask_in_three_lines() -> None:
    value = bytes(codec.encode(result(0, "hall", instance(BOX))).value)
    array = example(0, value=value)["array"]
    assert np.array_equal(array, rectangle(BOX).bitmap())


async def test_a_consumer_reads_each_frame_once(kafka: str) -> None:
    settings = kafka_settings(kafka)
    transport = KafkaTransport(settings)
    await transport.apply()
    some = result(0, "hall", instance(BOX))
    sent: list[Any] = [opened(), some, some, gap(1, 2, "stale"), result(3), closed(4)]
    async with transport.outbox("masks") as outbox:
        await fill(outbox, "masks", sent)
    lines = await example(1)["people"](kafka, name_of("masks", settings.kafka), 3)
    assert lines == [
        "hall/1/0: 1 people, 10.4% of the picture",
        "hall 1-2: stale",
        "hall/1/3: 0 people, 0.0% of the picture",
    ]
