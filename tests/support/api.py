"""The HTTP API on a real server, with a model that finds what is bright."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientSession

from connectors.clock import SteadyClock
from connectors.web import Page
from connectors.web.api import Board, Segmenting
from stream.cli.embedded import beside
from stream.cli.serving import api, segmenting, served
from stream.device import Device
from stream.metrics import Metrics
from stream.ports import Model
from stream.specs import SecretSource
from stream.web_spec import WebSpec
from tests.support.models import BrightModel

CAMERAS = ("hall", "yard")
SMALL = WebSpec(port=0, max_bytes=20_000, max_pixels=40_000, queue=4)


@dataclass
class Api:
    """Where it is, what it tells of, and how to ask."""

    url: str
    page: Page
    board: Board
    pictures: Segmenting
    client: ClientSession
    metrics: Metrics

    def answered(self, status: str) -> float:
        """How many requests for masks had that answer, as the metrics tell."""
        labels = {"route": "/v1/segment", "status": status}
        return self.metrics.registry.get_sample_value("maskstream_requests_total", labels) or 0


@asynccontextmanager
async def running(
    model: Model | None = None, spec: WebSpec = SMALL, cameras: Sequence[str] = CAMERAS
) -> AsyncIterator[Api]:
    """The API as ``run`` and ``web`` serve it; without a ``model`` there is `BrightModel`."""
    clock, metrics = SteadyClock(), Metrics()
    device = Device(model or BrightModel(batch_size=4), clock, metrics)
    page = Page(cameras=cameras, zones=list, now_us=clock.now_us)
    board = Board(page)
    pictures = segmenting(device, spec)
    part = api(board, pictures, spec)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(beside(device.run()))
        url = await stack.enter_async_context(served(page, spec, metrics, [part]))
        client = await stack.enter_async_context(ClientSession(url))
        yield Api(url, page, board, pictures, client, metrics)


def with_token(path: str) -> WebSpec:
    """The settings, with a token that lies in a file."""
    token = SecretSource.model_validate({"file": path})
    return SMALL.model_copy(update={"token": token})
