"""Evidence in a bucket: a server that speaks S3, on loopback."""

from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import ClientSession

from connectors.evidence import EvidenceStore
from connectors.web import Exhibits, Page, serve
from connectors.web.exhibits import PATH
from connectors.web.streamed import PIECE_BYTES
from stream.errors import EvidenceError
from stream.evidence import chosen
from stream.evidence_spec import EvidenceSpec
from tests.support.s3 import BUCKET, Bucket, bucket

NAME = "hall/2026-01-01/a1/1-5.jpg"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def service() -> Iterator[Bucket]:
    with bucket() as found:
        yield found


def spec(url: str, name: str = BUCKET) -> EvidenceSpec:
    s3 = {"endpoint": url, "key": {"env": "KEY_ID"}, "secret": {"env": "KEY"}}
    return EvidenceSpec.model_validate({"store": f"s3://{name}/cams", "s3": s3})


def env(service: Bucket) -> dict[str, str]:
    return {"KEY_ID": service.key, "KEY": service.secret}


@pytest.fixture
async def store(service: Bucket) -> AsyncIterator[EvidenceStore]:
    async with EvidenceStore(spec(service.url), env(service)) as opened:
        yield opened
        await opened.remove([each.name for each in await opened.kept()])


async def test_what_was_stored_is_there_under_its_name(store: EvidenceStore) -> None:
    await store.put(NAME, bytes(1000))

    assert await store.has(NAME)
    assert not await store.has(NAME.replace("1-5", "1-6"))
    (kept,) = await store.kept()
    assert (kept.name, kept.size_bytes) == (NAME, 1000)
    assert store.link(NAME) == f"s3://evidence/cams/{NAME}"


async def test_a_repeat_overwrites_itself(store: EvidenceStore) -> None:
    await store.put(NAME, bytes(1000))
    await store.put(NAME, bytes(2000))
    assert [each.size_bytes for each in await store.kept()] == [2000]


async def test_what_is_open_is_read_in_pieces_and_no_piece_is_of_another(
    store: EvidenceStore,
) -> None:
    await store.put(NAME, bytes(range(100)))
    async with store.opened(NAME) as found:
        assert found is not None
        assert (found.size, await found.read(40, 60)) == (100, bytes(range(40, 60)))
        assert await found.read(90, 100) == bytes(range(90, 100))
        await store.put(NAME, bytes(100))
        with pytest.raises(EvidenceError, match=r"evidence\.store s3://evidence/cams: "):
            await found.read(60, 90)
    async with store.opened(NAME.replace("1-5", "1-6")) as found:
        assert found is None


async def test_a_part_of_a_clip_comes_from_the_bucket(store: EvidenceStore) -> None:
    clip, film = "hall/2026-01-01/a1/clip.mp4", bytes(at % 251 for at in range(PIECE_BYTES + 9))
    await store.put(clip, film)
    page = Page(cameras=[], zones=tuple, now_us=int, exhibits=Exhibits(store, lambda _: None))
    async with serve(page, port=0) as url, ClientSession() as client:
        part = {"Range": f"bytes=5-{PIECE_BYTES + 6}"}
        async with client.get(url + PATH + clip, headers=part) as answer:
            assert answer.headers["Content-Range"] == f"bytes 5-{PIECE_BYTES + 6}/{len(film)}"
            assert await answer.read() == film[5 : PIECE_BYTES + 7]


async def test_what_is_chosen_is_deleted_and_nothing_else(store: EvidenceStore) -> None:
    other = NAME.replace("hall", "yard")
    for name in (NAME, other):
        await store.put(name, b"x")

    await store.remove([each.name for each in chosen(await store.kept(), camera="hall")])

    assert [each.name for each in await store.kept()] == [other]


async def test_age_counts_from_when_it_was_stored(store: EvidenceStore) -> None:
    await store.put(NAME, b"x")
    (kept,) = await store.kept()
    assert chosen([kept], stored_before_us=kept.stored_us + 1) == [kept]
    assert chosen([kept], stored_before_us=kept.stored_us) == []


@pytest.mark.parametrize("name", ["nowhere", "not-there"])
async def test_a_bucket_that_cannot_be_reached_is_named(name: str, service: Bucket) -> None:
    told = spec(NOWHERE if name == "nowhere" else service.url, name)
    async with EvidenceStore(told, env(service)) as store:
        with pytest.raises(EvidenceError, match=rf"evidence\.store s3://{name}/cams: ") as error:
            await store.put(NAME, b"x")
    assert service.secret not in str(error.value), "no secret is shown"
