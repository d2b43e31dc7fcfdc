"""Another artefact in the values: pods take it one by one, each warm before it is ready."""

import asyncio
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from connectors import open_transport
from connectors.models.artefact import MANIFEST, OPENVINO, digest, read
from stream import codec
from stream.config import load
from stream.types import Result
from tests.deploy.site import PAUSE_S, SMALL, artefact, fewest_ready, site
from tests.support.roles import Deployment


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_another_model_is_taken_pod_by_pod_without_a_loss(tmp_path: Path, kafka: str) -> None:
    with site(tmp_path, kafka, segment={"replicas": 2}) as here:
        old = read(here.models / "yard").manifest.sha256
        new = another(here.models / "yard", here.models / "next")
        here.values |= {"model": pinned("yard", old)}
        here.install()
        others = [pod for pod in here.release.pods if pod.component != "segment"]
        here.upgrade(model=pinned("next", new))
        assert {pod.component for pod in others if pod.is_ready} == {"ingest", "watch", "notify"}
        here.wait_results()
        segment = here.release["segment"]
        changed = [pod.at("deleted") for pod in segment.gone]
        pause_s = here.longest_pause_s(min(each.at_ms for each in changed))
        fewest = fewest_ready(segment.all, min(each.at_s for each in changed))
        here.end()
        results = by_model(here.deployed)
        print(f"longest pause of a camera: {pause_s:.2f} s; results by model: {dict(results)}")
        assert set(results) == {old, new}
        assert fewest == 1
        assert here.unclean() == []
        assert pause_s <= PAUSE_S


def another(folder: Path, made: Path) -> str:
    """An artefact that finds the same and has another hash; returns that."""
    shutil.copytree(folder, made)
    network = made / OPENVINO
    network.write_text(network.read_text() + "<!-- another -->\n")
    manifest = json.loads((made / MANIFEST).read_text())
    manifest["weights"][OPENVINO] = digest(network)
    (made / MANIFEST).write_text(json.dumps(manifest))
    return read(made).manifest.sha256


def pinned(path: str, sha256: str) -> dict[str, Any]:
    """The value ``model``."""
    return {"artefact": artefact(path), "settings": {**SMALL, "sha256": sha256}}


def by_model(deployed: Deployment) -> Counter[str]:
    """How many results each model gave, by its hash."""
    return asyncio.run(_by_model(deployed))


async def _by_model(deployed: Deployment) -> Counter[str]:
    transport = open_transport(load(deployed.config, secrets=False))
    messages = [codec.decode(each) async for each in transport.whole("masks")]
    return Counter(each.model.sha256 for each in messages if isinstance(each, Result))
