"""``maskstream run``: the whole pipeline in this process."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from rich.console import Console

from connectors import open_transport
from connectors.clock import SteadyClock, WallClock
from connectors.jpeg import JpegCodec
from connectors.web import Page
from connectors.web.api import Board
from stream.cli.cards import cards_watched
from stream.cli.collecting import keep_what_is_loaded
from stream.cli.doubting import log_doubts
from stream.cli.editing import Edits
from stream.cli.embedded import LEAVING_S, Role, beside, run_roles
from stream.cli.evidence import illustration
from stream.cli.logs import logged
from stream.cli.measured import measured
from stream.cli.model import opened
from stream.cli.observers import (
    annotated_video,
    counts,
    live_page,
    opened_page,
    results_file,
)
from stream.cli.pipeline import WIDE, Common, measure_capacity, open_sinks, roles
from stream.cli.progress import showing, summary
from stream.cli.reloading import Reloaded
from stream.cli.serving import api, segmenting, served
from stream.cli.stop import stop_on_signals
from stream.cli.traces import traced
from stream.config import Settings, check_files, check_labels, load
from stream.device import Device
from stream.errors import EXIT_DIFFERENT, CameraError, ConfigError, DrainTimeoutError
from stream.ports import Clock, Registry
from stream.registry import Listed
from stream.rulebook import Rulebook
from stream.tally import Tally
from stream.web_spec import WebSpec


def run_config(config: Path, port: int | None) -> None:
    """Run a configuration until its files end or a signal comes, and print the table.

    Exits with `EXIT_DIFFERENT` when the run's own audit finds a frame missing.
    """
    with logged("run"):
        settings = load(config)
        log_doubts(settings)
        tally = asyncio.run(play(settings, Console(), port, config))
    if not tally.audit.passed:
        sys.exit(EXIT_DIFFERENT)


async def play(
    settings: Settings, console: Console, port: int | None, config: Path | None = None
) -> Tally:
    """Run all roles with their observers; returns what it came to.

    The cameras are those of the file ``config`` as it is, where one is given.

    Raises `ConfigError` before anything is written, `CameraError` when a camera failed for good,
    after everything else was done, and `DrainTimeoutError`, after the table, when work was left.
    """
    clock, tally = SteadyClock(), Tally()
    _check_is_embedded(settings)
    async with AsyncExitStack() as stack:
        web = _web(settings, port)
        is_scraped = config is not None and web is not None
        opening = _opened(settings, console, clock, config, is_scraped)
        common, device = await stack.enter_async_context(opening)
        rulebook, registry = common.rulebook, common.registry
        sinks = await stack.enter_async_context(open_sinks(settings.endpoints, WallClock()))
        illustrating = illustration(settings, rulebook, registry, common.transport, clock)
        pictures = await stack.enter_async_context(illustrating)
        working = roles(common, device, sinks, pictures)
        looking = _observers(settings, rulebook, tally, clock)
        if web is not None:
            opening_page = opened_page(settings, registry, rulebook, clock)
            page = await stack.enter_async_context(opening_page)
            serving, feeding = _serving(common, page, device, web)
            console.print(f"live page: {await stack.enter_async_context(serving)}")
            looking += feeding
        with stop_on_signals() as stop:
            keep_what_is_loaded()
            try:
                async with showing(tally, console, "segmenting", "frames", "results"):
                    drain_s = settings.drain + LEAVING_S
                    await run_roles(common.transport, working + looking, stop, drain_s)
            except DrainTimeoutError:
                console.print(summary(tally))
                raise
    console.print(summary(tally))
    _raise_failures(tally)
    return tally


@asynccontextmanager
async def _opened(
    settings: Settings, console: Console, clock: Clock, config: Path | None, is_scraped: bool
) -> AsyncIterator[tuple[Common, Device]]:
    """What all roles work with, checked, and the device, which runs.

    Where metrics are scraped, what it is able to do is measured first.
    """
    transport = open_transport(settings)
    check_files(settings)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(traced(settings, "run", clock))
        metrics = stack.enter_context(measured("run"))
        with console.status("opening the model"):
            model = await stack.enter_async_context(opened(settings.model))
        check_labels(settings, model.labels)
        await stack.enter_async_context(cards_watched(metrics, clock))
        rulebook = Rulebook(settings.rules, settings.zones)
        registry: Registry = Listed(settings.cameras)
        if config is not None:
            edits = Edits(config, partial(_check, labels=model.labels), clock, metrics)
            registry = Reloaded(edits, settings, rulebook)
        common = Common(settings, rulebook, registry, transport, clock, metrics)
        if is_scraped:
            with console.status("measuring what it is able to do"):
                await model.warm_up([WIDE])
                await measure_capacity(common, model)
        device = Device(model, clock, metrics)
        await stack.enter_async_context(beside(device.run()))
        yield common, device


def _check_is_embedded(settings: Settings) -> None:
    if settings.on_kafka:
        raise ConfigError(
            f"transport: given {settings.transport}; run holds everything in one process, on "
            "memory://. On Kafka each role is a process: maskstream ingest, segment, watch, notify "
            "and, where somebody is to look on, web"
        )


def _web(settings: Settings, port: int | None) -> WebSpec | None:
    """What is served: what the settings say, on ``port`` where one is given."""
    if port is None:
        return settings.web
    return (settings.web or WebSpec()).model_copy(update={"port": port})


def _serving(
    common: Common, page: Page, device: Device, web: WebSpec
) -> tuple[AbstractAsyncContextManager[str], list[Role]]:
    """The server of the page and the API, and what feeds them."""
    part = api(Board(page), segmenting(device, web), web)
    serving = served(page, web, common.metrics, [part])
    max_age_s = common.settings.freshness.max_age
    return serving, [live_page(page, common.clock, max_age_s)]


def _check(settings: Settings, labels: Sequence[str]) -> None:
    check_files(settings)
    check_labels(settings, labels)


def _observers(settings: Settings, rulebook: Rulebook, tally: Tally, clock: Clock) -> list[Role]:
    looking = [counts(tally, clock)]
    if settings.outputs.results is not None:
        looking.append(results_file(settings.outputs.results))
    if settings.outputs.video is not None:
        cameras = [camera.id for camera in settings.cameras]
        decode = JpegCodec.of(settings.pictures).decode
        looking.append(annotated_video(settings.outputs.video, cameras, rulebook, decode))
    return looking


def _raise_failures(tally: Tally) -> None:
    if tally.failures:
        raise CameraError("; ".join(tally.failures.values()))
