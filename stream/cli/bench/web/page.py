"""What the live page costs its process while somebody looks at a wall of cameras.

Frames, results and identities are made beforehand and come over ``memory://``, as JPEG and JSON;
to write them there is part of what is measured. Whoever looks is a process of its own that does
what a browser does: it reads each message, and says that it drew each picture.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from importlib.resources import files
from typing import Any

import av
import cv2
import numpy as np
from aiohttp import ClientSession, WSMsgType
from msgspec import structs

from connectors.clock import SteadyClock
from connectors.jpeg import JpegCodec
from connectors.memory import MemoryTransport
from connectors.web import Page, serve, show
from stream import codec
from stream.cli.bench import yard
from stream.cli.bench.contest import seated
from stream.cli.bench.report import Report
from stream.cli.bench.scale import Scale
from stream.cli.embedded import beside
from stream.observe import TOPICS
from stream.ports import Outbox, Record
from stream.specs import FreshnessSpec
from stream.types import Encoded, Frame, Result, Track, Tracks

CAMERAS, FPS = 16, 5
WARM_UP_S = 2.0
"""Connections are opened and the first pictures sent."""
QUALITY = 80

Look = Callable[[str, float], list[float]]
"""Look at the page at a URL for so many seconds; the pictures per second of each camera."""
Written = tuple[Record, Record, Record]
"""Of one frame what lies on frames, masks and tracks."""
Shares = tuple[float, float, list[float]]
"""The page's part of a core while nobody looks and while one does, and what that one got: pictures
per second of each camera."""
Round = Callable[[Sequence[Written], Look, float], Coroutine[Any, Any, Shares]]
"""Has records written, and looks, for so many seconds."""


def measure(report: Report, scale: Scale) -> None:
    """In one process, over ``memory://``."""
    measure_rounds(report, scale, "web.page", _round)


def measure_rounds(report: Report, scale: Scale, figure: str, round_of: Round) -> None:
    """In each round first nobody looks, and then one does. Figures begin with ``figure``."""
    rounds: dict[str, list[float]] = {"nobody looks": [], "a wall in one browser": []}
    slowest = []
    seconds = scale.flow_s + WARM_UP_S
    records = _records(round(2 * (seconds + 1) * FPS))
    with seated(_browser) as (look,):
        for number in range(1, scale.rounds + 1):
            idle, shared, rates = asyncio.run(round_of(records, look, scale.flow_s))
            for of, share in zip(rounds.values(), (idle, shared), strict=True):
                of.append(share)
            slowest.append(min(rates))
            report.say(f"  round {number}/{scale.rounds}: {shared:.3f} of a core")
    report.figure(f"{figure}_core_share", float(np.median(rounds["a wall in one browser"])))
    report.figure(f"{figure}_slowest_fps", float(np.median(slowest)))
    size_kb = len(records[0][0].value) / 1000
    report.say(f"  {CAMERAS} cameras of 1920×1080 at {FPS} fps, pictures of {size_kb:.0f} kB")
    report.rates("part of one core", rounds, digits=3)
    report.rates("pictures/s", {"the slowest camera": slowest})


async def _round(records: Sequence[Written], look: Look, seconds: float) -> Shares:
    transport, clock = MemoryTransport(), SteadyClock()
    page = Page(cameras=cameras(), zones=tuple, now_us=clock.now_us)
    async with AsyncExitStack() as stack:
        inboxes = {
            topic: await stack.enter_async_context(transport.inbox(topic, "page"))
            for topic in TOPICS
        }
        outbox = await stack.enter_async_context(transport.outbox(*TOPICS))
        url = await stack.enter_async_context(serve(page, port=0))
        feeding = show(inboxes, page, clock, FreshnessSpec().max_age)
        await stack.enter_async_context(beside(feeding))
        await stack.enter_async_context(beside(write(records, outbox)))
        return await shares(url, look, seconds, time.process_time)


async def shares(url: str, look: Look, seconds: float, cpu_s: Callable[[], float]) -> Shares:
    """Of the page at ``url``, to which records come by now; ``cpu_s`` tells what its process has
    used so far.
    """
    await asyncio.sleep(WARM_UP_S)
    idle = await _share(seconds, cpu_s)
    asked = asyncio.create_task(asyncio.to_thread(look, url, seconds))
    await asyncio.sleep(WARM_UP_S)
    return idle, await _share(seconds, cpu_s), await asked


async def _share(seconds: float, cpu_s: Callable[[], float]) -> float:
    """The part of one core over so many seconds."""
    began, worked = time.perf_counter(), cpu_s()
    await asyncio.sleep(seconds)
    return (cpu_s() - worked) / (time.perf_counter() - began)


async def write(records: Sequence[Written], outbox: Outbox) -> None:
    """Camera after camera, evenly, on their topics."""
    began = time.perf_counter()
    for number, record in enumerate(records):
        await asyncio.sleep(began + number / (CAMERAS * FPS) - time.perf_counter())
        for topic, each in zip(("frames", "masks", "tracks"), record, strict=True):
            await outbox.send(topic, each)


def _records(frames: int) -> list[Written]:
    """So many frames of each camera, with ten instances."""
    picture = _picture()
    results = yard.results("yard", min(frames, 30))
    return [
        _record(camera, seq, results[(seq + 7 * at) % len(results)], picture)
        for seq in range(frames)
        for at, camera in enumerate(cameras())
    ]


def _record(camera: str, seq: int, seen: Result, picture: Encoded) -> Written:
    time_us = round(seq * 1e6 / FPS)
    result = structs.replace(seen, camera=camera, seq=seq, time_us=time_us)
    frame = Frame(result.id, "live", seen.size, time_us, time_us, picture)
    tracks = tuple(
        Track(f"{camera}/1/0/{index}", each.label, each.score, each.box, (0.0, 0.0), (), index)
        for index, each in enumerate(seen.instances)
    )
    told = Tracks(camera, 1, seq, time_us, tracks)
    return codec.encode_frame(frame), codec.encode(result), codec.encode(told)


def _picture() -> Encoded:
    """The first picture of the demo's yard, at the size of the results."""
    with av.open(str(files("connectors.demo").joinpath("data/yard.mp4"))) as film:
        pixels = next(film.decode(video=0)).to_ndarray(format="bgr24")
    large = cv2.resize(pixels, yard.SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    return JpegCodec(QUALITY, max_bytes=0, max_pixels=0).encode(large.astype(np.uint8))


def cameras() -> list[str]:
    """The names of all."""
    return [f"yard-{number}" for number in range(CAMERAS)]


def _browser() -> Look:
    def look(url: str, seconds: float) -> list[float]:
        return asyncio.run(_look(url, seconds))

    return look


async def _look(url: str, seconds: float) -> list[float]:
    counts: Counter[str] = Counter()
    async with ClientSession() as client, client.ws_connect(f"{url}/live") as socket:
        await socket.send_json({"wall": cameras()})
        began = time.perf_counter()
        camera, passed = "", 0.0
        while passed < WARM_UP_S + seconds:
            message = await socket.receive()
            passed = time.perf_counter() - began
            if message.type is WSMsgType.TEXT:
                told = json.loads(message.data)
                camera = told["camera"] if told["type"] == "frame" else camera
            elif message.type is WSMsgType.BINARY:
                await socket.send_json({"drawn": camera})
                counts[camera] += passed >= WARM_UP_S
            else:
                break
    return [counts[each] / seconds for each in cameras()]
