"""``POST /v1/segment``: masks of a single picture, by the model that the cameras have."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

import cv2
import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from connectors.annotate import draw
from connectors.web.api.answers import FoundInstance, Masks
from connectors.web.api.operation import Operation
from connectors.web.api.pictures import BODY, JSON, PNG, Pictures
from connectors.web.problem import refused
from stream.codec import mask_to_wire
from stream.errors import DeviceError, OutOfMemoryError
from stream.masks import pack
from stream.ports import Model, View, Window
from stream.types import Instance, Pixels, Result, Size
from stream.web_spec import WebSpec

AGAIN_S = 1
"""Who finds the queue full is asked to come again after so many seconds."""

Segment = Callable[[View], Awaitable[tuple[Instance, ...]]]


class SegmentQuery(Struct, frozen=True, kw_only=True):
    """The parameters; `_query_of` knows the labels of the model."""

    confidence: (
        Annotated[
            float,
            Meta(gt=0, lt=1, description="lowest score that is kept; without it, the model's"),
        ]
        | None
    ) = None
    labels: list[str] = []
    masks: Annotated[
        Literal["rle", "polygons", "none"],
        Meta(description="how masks are told: COCO's run lengths, polygons, or not at all"),
    ] = "rle"
    overlay: Annotated[
        Literal["none", "png"],
        Meta(description="png: the picture with its masks drawn instead of JSON, as Accept: "
             "image/png"),
    ] = "none"  # fmt: skip


class Segmenting:
    """Puts pictures to the device, together with whatever else waits for it.

    ``model`` says what it is and how much it holds. So many pictures are decoded as the device
    holds and one batch more; the others wait as they came, up to ``spec.queue`` in all.
    """

    def __init__(self, model: Model, segment: Segment, spec: WebSpec) -> None:
        self._model = model
        self._segment = segment
        self._most = spec.queue
        self._pictures = Pictures(spec.max_bytes, spec.max_pixels)
        self._decoded = asyncio.Semaphore(model.batch_size * (model.in_flight + 1))
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    @property
    def operation(self) -> Operation:
        """What the API knows of it."""
        return Operation(
            "POST",
            "/v1/segment",
            "segment",
            "Masks of a JPEG or PNG, from the model that the cameras have. Requests at the same "
            "time share batches.",
            _query_of(self._model.labels),
            {JSON: Masks, PNG: None},
            self._handle,
            BODY,
            {
                408: "the body took too long to come",
                413: "too many bytes or pixels",
                415: "neither JPEG nor PNG, or not what Content-Type says",
                429: f"the queue is full; Retry-After says when to come again ({AGAIN_S} s)",
                503: "the server is stopping, or its device has no room for the picture",
            },
        )

    async def finish(self) -> None:
        """Take no more, and return once all that was taken is answered."""
        self._closed = True
        await self._idle.wait()

    async def _handle(self, request: web.Request, query: SegmentQuery) -> web.Response:
        self._pictures.check(request)
        async with self._place():
            picture = await self._pictures.read(request)
            async with self._decoded:
                pixels = await asyncio.to_thread(self._pictures.decoded, picture)
                found = await self._seen(_view(pixels, query))
                if query.overlay == "png" or _prefers_png(request.headers.get("Accept", "")):
                    png = await asyncio.to_thread(self._drawn, pixels, found)
                    return web.Response(body=png, content_type=PNG)
                height, width = pixels.shape[:2]
                del pixels  # the next may be decoded
            body = await asyncio.to_thread(self._told, (height, width), found, query)
            return web.Response(body=body, content_type=JSON)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        if self._closed:
            raise refused(503, "the server is stopping")
        if self._under_way >= self._most:
            text = f"{self._under_way} pictures wait for the model; allowed: {self._most}"
            raise refused(429, text, {"Retry-After": str(AGAIN_S)})
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def _seen(self, view: View) -> tuple[Instance, ...]:
        try:
            return await self._segment(view)
        except OutOfMemoryError:
            raise refused(503, "the model's device has no room for the picture") from None
        except DeviceError:
            raise refused(503, "the model's device failed; the server stops") from None

    def _told(self, size: Size, found: Collection[Instance], query: SegmentQuery) -> bytes:
        if query.masks == "rle":
            pack([each.mask for each in found])
        instances = [_instance(each, query.masks) for each in found]
        masks = Masks(self._model.ref, size, instances)
        return msgspec.json.encode(masks, enc_hook=mask_to_wire)

    def _drawn(self, pixels: Pixels, found: tuple[Instance, ...]) -> bytes:
        height, width = pixels.shape[:2]
        result = Result("", 0, 0, 0, 0, (height, width), self._model.ref, found)
        _, png = cv2.imencode(".png", draw(pixels, result, None, [], []))
        return png.tobytes()


def _query_of(labels: tuple[str, ...]) -> type[Struct]:
    """The parameters, with the labels that there are."""
    known: Any = Literal.__getitem__(labels)
    text = "only these, as labels=A&labels=B; without it, those that the configuration keeps"
    kind = Annotated[list[known], Meta(description=text)]
    named: Any = ("labels", kind, msgspec.field(default_factory=list))
    return msgspec.defstruct(
        "SegmentQuery", [named], bases=(SegmentQuery,), frozen=True, kw_only=True
    )


def _view(pixels: Pixels, query: SegmentQuery) -> View:
    height, width = pixels.shape[:2]
    labels = frozenset(query.labels) or None
    return View(pixels, Window(0, 0, width, height), labels, query.confidence)


def _instance(found: Instance, masks: str) -> FoundInstance:
    own = (found.label, found.score, found.box)
    if masks == "rle":
        return FoundInstance(*own, mask=found.mask)
    if masks == "polygons":
        rings = [ring.tolist() for ring in found.mask.to_polygons()]
        return FoundInstance(*own, polygons=rings)
    return FoundInstance(*own)


def _prefers_png(accept: str) -> bool:
    """Whether a picture is wanted more than JSON (RFC 9110, section 12.5.1)."""
    weights = dict(_weighed(each) for each in accept.split(","))

    def weight(kind: str) -> float:
        ranges = (kind, f"{kind.partition('/')[0]}/*", "*/*")  # the most specific counts
        return next((weights[each] for each in ranges if each in weights), 0.0)

    return weight(PNG) > weight(JSON)


def _weighed(kind: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in kind.split(";"))
    text = next((part[2:] for part in parameters if part.startswith("q=")), "1")
    is_number = text.isascii() and text.replace(".", "", 1).isdigit()
    return name, float(text) if is_number else 0.0
