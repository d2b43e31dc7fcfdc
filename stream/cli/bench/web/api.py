"""``POST /v1/segment`` beside the bare model: pictures a second, in turns.

The model alone is given pixels, as many batches at once as keep its device busy. The API is given
the same pictures as JPEG over HTTP by 16 clients, each with one request at a time: it decodes,
batches, encodes masks, and shares the cores with whoever asks. Each is one process; the clients are
another, which does nothing while the model works alone.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from connectors.models import Build, build_artefact, open_model
from stream.cli.bench.clips import require
from stream.cli.bench.contest import Run, seated
from stream.cli.bench.contestants import CONFIDENCE, IMAGE_SIZE, IOU
from stream.cli.bench.gpu import pictures
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.ports import View, Window
from stream.specs import ModelSpec

SHAPE = (384, 640)
CLIENTS = 16
ALONE, SERVED = "model alone, pixels", f"POST /v1/segment, JPEG, {CLIENTS} clients"


def measure(report: Report, scale: Scale) -> None:
    """Take turns on real pictures, in f32."""
    with TemporaryDirectory(prefix="maskstream-bench-") as name:
        folder = Path(name)
        artefact = build_artefact(Build(require(scale.weights), "f32"), folder / "f32")
        spec = ModelSpec(
            weights=artefact.folder, image_size=IMAGE_SIZE, confidence=CONFIDENCE, iou=IOU
        )
        shown = folder / "pictures"
        pictures.write(scale.people, SHAPE, shown)
        rates = _turns(report, spec, shown, scale)
    report.rates("pictures/s", rates)
    ratio = report.ratio("api.vs_model", rates[SERVED], rates[ALONE])
    report.table(["ratio", "median (lowest…highest)"], [["API / model alone", ratio]])
    report.bars("api", "Masks of single pictures, YOLOv8n-seg f32", "pictures/s", rates)


def _turns(report: Report, spec: ModelSpec, shown: Path, scale: Scale) -> dict[str, list[float]]:
    report.say(f"  starting {ALONE}; {SERVED}")
    with seated(
        partial(alone, spec, shown, scale.frames),
        partial(server, spec),
        partial(clients, shown, scale.frames),
    ) as (bare, where, ask):
        url = where()
        ask(url)  # compiles what the pictures need, as the other has done at its start
        turns: dict[str, Callable[[], float]] = {ALONE: bare, SERVED: partial(ask, url)}
        rates: dict[str, list[float]] = {name: [] for name in turns}
        for number in range(1, scale.rounds + 1):
            for name, turn in turns.items():
                rates[name].append(turn())
                report.say(
                    f"  round {number}/{scale.rounds} {name}: {rates[name][-1]:.1f} pictures/s"
                )
    return rates


def alone(spec: ModelSpec, shown: Path, due: int) -> Run:
    """The model and nothing else: pixels to instances."""
    views = [
        View(pixels, Window(0, 0, pixels.shape[1], pixels.shape[0]))
        for pixels in pictures.decoded(pictures.jpegs(shown))
    ]
    runner = asyncio.Runner()
    model = open_model(spec, Path(), Path())

    async def work() -> float:
        numbers = iter(range(0, due, model.batch_size))

        async def one_after_another() -> None:
            for first in numbers:
                batch = range(first, min(first + model.batch_size, due))
                await model.segment([views[number % len(views)] for number in batch])

        began = time.perf_counter()
        await asyncio.gather(*(one_after_another() for _ in range(model.in_flight)))
        return due / (time.perf_counter() - began)

    def run() -> float:
        return runner.run(work())

    run()
    return run


def server(spec: ModelSpec) -> Callable[[], str]:
    """Serves the API, as `maskstream run` and `web` do; says where."""
    told: list[str] = []
    ready = threading.Event()
    threading.Thread(target=lambda: asyncio.run(_serve(spec, told, ready)), daemon=True).start()
    ready.wait()
    return lambda: told[0]


async def _serve(spec: ModelSpec, told: list[str], ready: threading.Event) -> None:
    from connectors.clock import SteadyClock
    from connectors.web import Page
    from connectors.web.api import Board
    from stream.cli.embedded import beside
    from stream.cli.serving import api, segmenting, served
    from stream.device import Device
    from stream.metrics import Metrics
    from stream.web_spec import WebSpec

    clock, metrics, web = SteadyClock(), Metrics(), WebSpec(port=0)
    device = Device(open_model(spec, Path(), Path()), clock, metrics)
    page = Page(cameras=(), zones=list, now_us=clock.now_us)
    part = api(Board(page), segmenting(device, web), web)
    async with beside(device.run()), served(page, web, metrics, [part]) as url:
        told.append(url)
        ready.set()
        await asyncio.Event().wait()


def clients(shown: Path, due: int) -> Callable[[str], float]:
    """Asks with as little work of its own as it can: what is sent lies ready."""
    bodies = [bytes(each.jpeg) for each in pictures.jpegs(shown)]
    head = "POST /v1/segment HTTP/1.1\r\nHost: {}\r\nContent-Type: image/jpeg\r\n"
    head += "Content-Length: {}\r\n\r\n"

    async def work(url: str) -> float:
        place = urlsplit(url)
        requests = [head.format(place.netloc, len(body)).encode() + body for body in bodies]
        numbers = iter(range(due))

        async def client() -> None:
            reader, writer = await asyncio.open_connection(place.hostname, place.port)
            for number in numbers:
                writer.write(requests[number % len(requests)])
                await _answered(reader)
            writer.close()

        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return due / (time.perf_counter() - began)

    return lambda url: asyncio.run(work(url))


async def _answered(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    _, _, rest = head.lower().partition(b"content-length:")
    await reader.readexactly(int(rest.partition(b"\r\n")[0]))
