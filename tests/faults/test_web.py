"""``web`` while brokers are away."""

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.kafka import Node, cluster, require_kafka
from tests.support.roles import deployment
from tests.support.web import TOKEN, looked, page, show

pytestmark = [pytest.mark.slow, pytest.mark.long]

AWAY_S = 15.0


@pytest.fixture
def node() -> Iterator[Node]:
    require_kafka()
    with cluster(1) as (node,):
        yield node


async def test_an_outage_of_brokers_is_waited_out(tmp_path: Path, node: Node) -> None:
    (tmp_path / "token").write_text(TOKEN)
    web = {"port": 0, "token": {"file": str(tmp_path / "token")}}
    with deployment(tmp_path, node.bootstrap, web=web) as deployed:
        (process,) = await asyncio.to_thread(deployed.start, "web")
        told = await looked(page(process), partial(show, deployed, 1))
        assert told["seq"] == 1
        node.kill()
        await asyncio.sleep(AWAY_S)
        assert process.is_running
        assert process.answers("/livez")
        node.start()
        await asyncio.to_thread(node.wait_ready)
        told = await looked(page(process), partial(show, deployed, 2))
        while told["seq"] != 2:  # what was shown before is shown to who comes
            told = await looked(page(process), lambda: None)
        assert process.stop() == 0
