"""``POST /v1/segment``: masks of a picture, and a clear word for what is none."""

import asyncio
import base64
import json
import zlib
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import cv2
import numpy as np
import pytest
from aiohttp import ClientResponse
from yarl import URL

from connectors.web.api import pictures
from connectors.web.api.segmenting import AGAIN_S
from stream.errors import DeviceError
from stream.halving import Instances
from stream.masks import Mask
from stream.ports import View
from stream.stages import Spent, untold
from tests.support.api import SMALL, Api, running
from tests.support.build import picture, rectangle
from tests.support.encoded import jpeg, png
from tests.support.models import BrightModel, PickyModel
from tests.support.topics import PATIENCE_S
from tests.support.waiting import eventually

BOX = (10, 8, 30, 24)
SIZE = (48, 64)
SHOWN = picture(BOX)
PNG, JPEG = {"Content-Type": "image/png"}, {"Content-Type": "image/jpeg"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with running() as found:
        yield found


async def told(answer: ClientResponse) -> dict[str, Any]:
    found: dict[str, Any] = await answer.json(content_type=None)
    return found


async def problem(
    api: Api, body: bytes, headers: dict[str, str], query: str = ""
) -> dict[str, Any]:
    """What is said against a request."""
    path = f"/v1/segment?{query}"
    async with api.client.post(path, data=body, headers=headers) as answer:
        assert answer.content_type == "application/problem+json", await answer.text()
        found = await told(answer)
        assert found["status"] == answer.status
        assert "Traceback" not in json.dumps(found)
        return found


async def test_a_picture_comes_back_as_its_masks(api: Api) -> None:
    async with api.client.post("/v1/segment", data=png(SHOWN), headers=PNG) as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        found = await told(answer)
    assert found["model"] == {"name": "bright", "sha256": "b" * 64, "precision": "f32"}
    assert found["size"] == [48, 64]
    (instance,) = found["instances"]
    assert (instance["label"], instance["score"], instance["box"]) == ("white", 1, list(BOX))
    mask = Mask.from_counts(tuple(instance["mask"]["size"]), instance["mask"]["counts"])
    assert mask == rectangle(BOX)


async def test_a_jpeg_and_json_are_taken_as_well(api: Api) -> None:
    text = base64.b64encode(png(SHOWN)).decode()
    for body, headers in (
        (jpeg(SHOWN), JPEG),
        (json.dumps({"picture": text}).encode(), JSON),
        (json.dumps({"picture": text}).encode(), {"Content-Type": "application/json; charset=x"}),
    ):
        async with api.client.post("/v1/segment", data=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            assert len((await told(answer))["instances"]) >= 1


@pytest.mark.parametrize("kind", [cv2.IMREAD_GRAYSCALE, cv2.IMREAD_UNCHANGED])
async def test_pngs_of_other_depths_are_taken(api: Api, kind: int) -> None:
    deep = (
        cv2.cvtColor(SHOWN, cv2.COLOR_BGR2GRAY) if kind == 0 else np.dstack([SHOWN, SHOWN[..., 0]])
    )
    _, body = cv2.imencode(".png", deep.astype(np.uint16) * 257 if kind else deep)
    async with api.client.post("/v1/segment", data=body.tobytes(), headers=PNG) as answer:
        assert (await told(answer))["instances"][0]["box"] == list(BOX)


async def test_masks_come_as_polygons_or_not_at_all(api: Api) -> None:
    post = api.client.post
    async with post("/v1/segment?masks=polygons", data=png(SHOWN), headers=PNG) as answer:
        (instance,) = (await told(answer))["instances"]
        assert Mask.from_polygon(SIZE, instance["polygons"][0]) == rectangle(BOX)
        assert "mask" not in instance
    async with post("/v1/segment?masks=none", data=png(SHOWN), headers=PNG) as answer:
        (instance,) = (await told(answer))["instances"]
        assert instance.keys() == {"label", "score", "box"}


@pytest.mark.parametrize(
    ("query", "accept", "drawn"),
    [
        ("overlay=png", "*/*", True),
        ("", "image/png", True),
        ("", "image/avif,image/png,*/*;q=0.8", True),
        ("", "image/png;q=0.2,application/json", False),
        ("", "application/json, image/png", False),
        ("", "text/html, ;q=x", False),
        ("", "image/png;q=\N{SUPERSCRIPT TWO}", False),
        ("", "image/*", True),
        ("", "image/png;q=0.5, application/json;q=0, */*", True),
        ("", "image/*;Q=0.1, */*;q=0.9", False),
    ],
)
async def test_the_masks_are_drawn_for_whoever_wants_a_picture(
    api: Api, query: str, accept: str, drawn: bool
) -> None:
    headers = {**PNG, "Accept": accept}
    async with api.client.post(f"/v1/segment?{query}", data=png(SHOWN), headers=headers) as answer:
        body = await answer.read()
        assert answer.content_type == ("image/png" if drawn else "application/json")
    if drawn:
        pixels = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
        assert pixels is not None
        assert pixels.shape == SHOWN.shape
        assert not np.array_equal(pixels[8:24, 10:30], SHOWN[8:24, 10:30])


async def test_a_threshold_and_labels_choose(api: Api) -> None:
    grey = picture(BOX, grey=150)
    for query, count in [
        ("", 1), ("confidence=0.5", 1), ("confidence=0.7", 0), ("labels=white&labels=red", 1),
        ("labels=red", 0),
    ]:  # fmt: skip
        async with api.client.post(f"/v1/segment?{query}", data=png(grey), headers=PNG) as answer:
            assert len((await told(answer))["instances"]) == count, query


@pytest.mark.parametrize(
    ("query", "field", "given", "allowed"),
    [
        ("confidence=1", "confidence", '"1"', "a number above 0 and below 1"),
        ("confidence=0", "confidence", '"0"', "a number above 0 and below 1"),
        ("confidence=nan", "confidence", '"nan"', "a number above 0 and below 1"),
        ("confidence=null", "confidence", '"null"', "a number above 0 and below 1"),
        ("confidence=much", "confidence", '"much"', "a number above 0 and below 1"),
        ("confidence=0.1&confidence=0.2", "confidence", "2 times", "once"),
        ("labels=cat", "labels", '"cat"', "each of: red, white"),
        ("labels=", "labels", '""', "each of: red, white"),
        ("masks=png", "masks", '"png"', "none, polygons, rle"),
        ("overlay=yes", "overlay", '"yes"', "none, png"),
        ("confidance=0.3", "confidance", "as a parameter", "confidence, labels, masks, overlay"),
    ],
)
async def test_a_wrong_parameter_is_named(
    api: Api, query: str, field: str, given: str, allowed: str
) -> None:
    found = await problem(api, png(SHOWN), PNG, query)
    assert found["status"] == 400
    assert (found["field"], found["given"], found["allowed"]) == (field, given, allowed)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (png(SHOWN), JPEG),
        (jpeg(SHOWN), PNG),
        (b"GIF89a", PNG),
        (b"", JPEG),
        (png(SHOWN), {"Content-Type": "image/gif"}),
        (png(SHOWN), {"Content-Type": "text/plain"}),
        (png(SHOWN), {"Content-Type": "multipart/form-data; boundary=x"}),
        (png(SHOWN), {}),
    ],
)
async def test_a_wrong_type_is_415(api: Api, body: bytes, headers: dict[str, str]) -> None:
    found = await problem(api, body, headers)
    assert found["status"] == 415
    assert found["field"] in {"body", "Content-Type"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not json",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'{"picture": 7}',
        b'{"picture": ""}',
        b'{"picture": "no base64!"}',
        '{"picture": "ünïcode"}'.encode(),
        b'{"picture": "aGVsbG8="}',
        b'{"picture": "aGVsbG8=", "confidence": 0.5}',
        b"{}",
        b"[" * 10_000,
        b'{"picture": ' + b"[" * 10_000,
        b'{"x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"a":' * 4_000,
    ],
)
async def test_bad_json_is_400_however_deep_it_nests(api: Api, body: bytes) -> None:
    found = await problem(api, body, JSON)
    assert found["status"] == 400
    assert found["field"] in {"body", "picture"}


def _huge() -> bytes:
    """A PNG whose header claims 100 000 × 100 000 pixels."""
    body = png(SHOWN)
    head = b"IHDR" + (100_000).to_bytes(4) * 2 + body[24:29]
    return body[:12] + head + zlib.crc32(head).to_bytes(4) + body[33:]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (bytes(SMALL.max_bytes + 1), PNG),
        (png(np.zeros((201, 201, 3), np.uint8)), PNG),
        (jpeg(np.zeros((201, 201, 3), np.uint8)), JPEG),
        (_huge(), PNG),
        (b"[" * 1_000_000, JSON),
        (json.dumps({"picture": base64.b64encode(PNG_MAGIC + bytes(20_000)).decode()}).encode()
         if (PNG_MAGIC := png(SHOWN)[:8]) else b"", JSON),
    ],
)  # fmt: skip
async def test_what_is_too_large_is_413(api: Api, body: bytes, headers: dict[str, str]) -> None:
    found = await problem(api, body, headers)
    assert found["status"] == 413
    assert found["allowed"] == "20000 bytes and 0.0 MP"


async def test_a_length_that_is_not_told_is_no_way_round(api: Api) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(SMALL.max_bytes // 1000 + 1):
            yield bytes(1000)

    async with api.client.post("/v1/segment", data=chunks(), headers=PNG) as answer:
        assert answer.status == 413


async def test_a_body_that_does_not_come_gives_its_place_back(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "READ_S", 0.05)

    async def stalling() -> AsyncIterator[bytes]:
        yield png(SHOWN)[:20]
        await asyncio.sleep(PATIENCE_S)

    for _ in range(SMALL.queue + 1):
        async with api.client.post("/v1/segment", data=stalling(), headers=PNG) as answer:
            assert answer.status == 408


BEGUN = (
    "POST /v1/segment HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
    "Expect: 100-continue\r\n{}\r\n\r\n"
)


@asynccontextmanager
async def begun(api: Api, header: str) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    """A connection on which the API waits for the body of a request."""
    url = URL(api.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(BEGUN.format(header).encode())
    assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
    assert await reader.readline() == b"\r\n"
    yield reader, writer
    writer.close()


async def test_who_hangs_up_in_the_middle_of_a_body_is_no_fault_of_ours(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    async with begun(api, "Content-Length: 10000") as (_, writer):
        writer.write(png(SHOWN)[:20])
    await eventually(lambda: api.answered("499") == 1, "it is counted as what it is")
    assert api.answered("500") == 0
    assert not caplog.records


async def test_a_body_that_is_not_what_its_head_says_is_400(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    async with begun(api, "Content-Encoding: gzip\r\nContent-Length: 9") as (reader, writer):
        writer.write(b"no gzip!!")
        answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"detail":"body: 400, message:' in answer
    assert api.answered("400") == 1
    assert not caplog.records


@pytest.mark.parametrize("cut", [1, 20, 60])
async def test_half_a_picture_is_400(api: Api, cut: int) -> None:
    for body, headers in [(png(SHOWN)[:-cut], PNG), (jpeg(SHOWN)[:-cut], JPEG)]:
        assert (await problem(api, body, headers))["status"] == 400


class GatedModel(BrightModel):
    """Answers once it is let through."""

    def __init__(self) -> None:
        super().__init__(batch_size=4)
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()

    async def segment(self, batch: Sequence[View], spent: Spent = untold) -> list[Instances]:
        self.asked.set()
        await self.gate.wait()
        return await super().segment(batch, spent)


async def test_the_queue_is_bounded_and_full_is_429() -> None:
    model = GatedModel()
    async with running(model) as api:

        async def post() -> int:
            async with api.client.post("/v1/segment", data=png(SHOWN), headers=PNG) as answer:
                if answer.status == 429:
                    assert answer.headers["Retry-After"] == str(AGAIN_S)
                    assert (await told(answer))["detail"].startswith("4 pictures wait")
                return answer.status

        posts = [asyncio.create_task(post()) for _ in range(SMALL.queue + 1)]
        (refused,), waiting = await asyncio.wait(posts, return_when=asyncio.FIRST_COMPLETED)
        assert refused.result() == 429
        model.gate.set()
        assert [await each for each in waiting] == [200] * SMALL.queue
        assert await post() == 200
        assert api.answered("429") == 1


async def test_single_pictures_of_many_clients_share_batches() -> None:
    model = GatedModel()
    async with running(model, SMALL.model_copy(update={"queue": 16})) as api:

        async def post() -> list[float]:
            body = png(SHOWN)
            async with api.client.post("/v1/segment", data=body, headers=PNG) as answer:
                return list((await told(answer))["instances"][0]["box"])

        posts = [asyncio.create_task(post()) for _ in range(16)]
        await asyncio.wait_for(model.asked.wait(), PATIENCE_S)
        model.gate.set()
        assert await asyncio.gather(*posts) == [list(BOX)] * 16
    assert max(model.batches) == 4


class BrokenModel(BrightModel):
    async def segment(self, batch: Sequence[View], spent: Spent = untold) -> list[Instances]:
        raise DeviceError("0xdeadbeef at /secret/place")


class CrashingModel(BrightModel):
    async def segment(self, batch: Sequence[View], spent: Spent = untold) -> list[Instances]:
        raise RuntimeError("0xdeadbeef at /secret/place")


@pytest.mark.parametrize(
    ("model", "status"), [(BrokenModel(), 503), (CrashingModel(), 500), (PickyModel(), 503)]
)
async def test_a_model_that_fails_is_told_without_what_is_inside(
    model: BrightModel, status: int
) -> None:
    async with running(model) as api:
        found = await problem(api, png(picture((0, 0, 9, 9))), PNG)
    assert found["status"] == status
    assert "secret" not in json.dumps(found)


async def test_who_stops_answers_what_it_took_and_takes_no_more() -> None:
    model = GatedModel()
    async with running(model) as api:
        taken = asyncio.create_task(
            api.client.post("/v1/segment", data=png(SHOWN), headers=PNG).__aenter__()
        )
        await asyncio.wait_for(model.asked.wait(), PATIENCE_S)
        finishing = asyncio.create_task(api.pictures.finish())
        assert (await problem(api, png(SHOWN), PNG))["detail"] == "the server is stopping"
        assert not finishing.done()
        model.gate.set()
        assert (await taken).status == 200
        await asyncio.wait_for(finishing, PATIENCE_S)
