"""One notify, ten endpoints: eight are in trouble, each in its own way, and none costs another
anything. What they did not take they take once they are well.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from connectors import open_transport
from connectors.webhook import message_id
from stream import codec
from stream.config import load
from stream.retry import JITTER, STEPS_S
from stream.types import Alert, DeliveryStatus
from tests.faults.film import FULL
from tests.support.alerts import opened
from tests.support.clock import START_US
from tests.support.endpoints import (
    RETRY_AFTER_S,
    Answer,
    Endpoint,
    Endpoints,
    answering,
    drips,
    floods,
    hangs,
    says,
)
from tests.support.receiver import SECRET
from tests.support.roles import Deployment, deployment
from tests.support.waiting import wait_until

DOWN_S = 600.0 if FULL else 0.0
"""How long trouble lasts from the first alert on; every alert was tried thrice by then."""
BACK_S = 240.0 + 1.5 * DOWN_S
"""The longest until the next try, and what waits for slots then."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 + DOWN_S + BACK_S)]
COUNT, PAUSE_S = (1500, 0.2) if FULL else (40, 0.2)
"""Alerts, and the time between two."""
LATE_S = 10.0
"""What a busy machine may add; who waits for a try that hangs is 15 s late."""
WELL: Mapping[str, Answer] = {"well-1": says("204 No Content"), "well-2": says("200 OK")}
PASSING: Mapping[str, Answer | None] = {
    "failing": says("500 Oh"),
    "busy": says("429 Slowly", f"retry-after: {RETRY_AFTER_S}"),
    "hanging": hangs,
    "dripping": drips,
    "down": None,
}
"""Trouble that ends."""
FINAL: Mapping[str, Answer] = {"gone": says("410 Gone"), "moved": says("302 Found", "location: /")}
HUGE: Mapping[str, Answer] = {"huge": floods}
TEN = (*WELL, *HUGE, *PASSING, *FINAL)
TRIES = 8
"""In flight at one endpoint."""


def alert(number: int) -> Alert:
    return structs.replace(
        opened(f"{number:024x}", *TEN), camera=f"hall-{number % 8}",
        opened_us=START_US, time_us=START_US,
    )  # fmt: skip


NAMES = [message_id(alert(number)) for number in range(COUNT)]


@contextmanager
def notifying(folder: Path, kafka: str, endpoints: Endpoints) -> Iterator[Deployment]:
    """A notify of its own, that is ready."""
    folder.mkdir()
    secret = folder / "secret"
    secret.write_text(SECRET)
    specs = [
        {"id": each.name, "url": each.url, "secret": {"file": str(secret)}, "allow_private": True}
        for each in endpoints.values()
    ]
    with deployment(folder, kafka, endpoints=specs, rules=[], drain="2s") as deployed:
        (notify,) = deployed.start("notify")
        wait_until(lambda: notify.answers("/readyz"), "it is ready")
        yield deployed


async def send(deployed: Iterable[Deployment]) -> list[float]:
    """Give each deployment all alerts, one by one; when each was there."""
    sent_s = []
    async with AsyncExitStack() as stack:
        outboxes = []
        for each in deployed:
            transport = open_transport(load(each.config, secrets=False))
            outboxes.append(await stack.enter_async_context(transport.outbox("alerts")))
        for number in range(COUNT):
            for outbox in outboxes:
                await outbox.send("alerts", codec.encode(alert(number)))
            await asyncio.gather(*(outbox.flush() for outbox in outboxes))
            sent_s.append(time.monotonic())
            await asyncio.sleep(PAUSE_S)
    return sent_s


def taking(answers: Mapping[str, Answer]) -> list[Endpoint]:
    """Endpoints whose answers take alerts."""
    return [Endpoint(name, answer, takes=True) for name, answer in answers.items()]


def has_all(endpoint: Endpoint) -> bool:
    return len(endpoint.taken) >= COUNT


def wait_taken(endpoints: Endpoints, names: Iterable[str], deadline_s: float = 60.0) -> None:
    """Each of these endpoints has every alert, once, and it is the same at each try."""
    own = [endpoints[name] for name in names]
    for each in own:
        wait_until(partial(has_all, each), f"{each.name} has all", deadline_s)
    for each in own:
        assert set(each.taken) == set(NAMES)
        assert each.taken.total() == COUNT
        assert all(len(bodies) == 1 for bodies in each.bodies.values())


def late_s(endpoints: Endpoints, sent_s: Sequence[float]) -> list[float]:
    """How long after it was sent each alert came to those that are well."""
    return [
        endpoints[name].tries_s[message][0] - at_s
        for name in WELL
        for message, at_s in zip(NAMES, sent_s, strict=True)
    ]


def assert_not_slower(without_s: Sequence[float], beside_s: Sequence[float]) -> None:
    """Those that are well are as quick beside trouble as where all are well."""
    for part in (0.5, 0.99):
        without, beside = (float(np.quantile(each, part)) for each in (without_s, beside_s))
        print(f"  {part:.0%}: {without:.3f} s, beside trouble {beside:.3f} s", flush=True)
    assert beside <= without + LATE_S


async def _statuses(deployed: Deployment) -> list[DeliveryStatus]:
    transport = open_transport(load(deployed.config, secrets=False))
    found = [codec.decode(each) async for each in transport.whole("deliveries")]
    return [each for each in found if isinstance(each, DeliveryStatus)]


def standing(deployed: Deployment) -> Mapping[str, Counter[str]]:
    """How many alerts stand how with each endpoint, as notify has written it down."""
    last = {(each.endpoint, each.alert): each for each in asyncio.run(_statuses(deployed))}
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (endpoint, _), status in last.items():
        counts[endpoint][status.state] += 1
    return counts


def pending(found: Mapping[str, Counter[str]]) -> int:
    return sum(each["pending"] for each in found.values())


def gaps_s(endpoint: Endpoint) -> Iterator[tuple[int, float]]:
    """How long after each failed try, by its number from 1, the next one came."""
    for tries_s in endpoint.tries_s.values():
        for number, (before_s, after_s) in enumerate(pairwise(tries_s), 1):
            yield number, after_s - before_s


def assert_on_schedule(endpoints: Endpoints) -> None:
    """No try came too early, or, where nothing kept it, too late."""
    for name in PASSING:
        for number, gap_s in gaps_s(endpoints[name]):
            assert gap_s >= STEPS_S[number - 1] - 0.1, (name, number, gap_s)
    for number, gap_s in gaps_s(endpoints["failing"]):
        assert gap_s <= STEPS_S[number - 1] * (1 + JITTER) + LATE_S, (number, gap_s)
    assert all(gap_s >= RETRY_AFTER_S - 0.1 for _, gap_s in gaps_s(endpoints["busy"]))


def assert_in_trouble(endpoints: Endpoints, found: Mapping[str, Counter[str]]) -> None:
    """What may be taken later waits, and what may not is given up after one try at most."""
    for name in PASSING:
        assert found[name] == {"pending": COUNT}, name
    for name in FINAL:
        assert found[name] == {"given_up": COUNT}, name
        assert all(len(tries_s) == 1 for tries_s in endpoints[name].tries_s.values())
    assert len(endpoints["gone"].tries_s) <= TRIES
    assert_over({name: found[name] for name in (*WELL, *HUGE)})


def assert_over(found: Mapping[str, Counter[str]]) -> None:
    """Each alert is delivered, but where it never can be."""
    for name in found.keys() - FINAL.keys():
        assert found[name] == {"delivered": COUNT}, name


def test_endpoints_in_trouble_cost_others_nothing_and_lose_nothing(
    tmp_path: Path, kafka: str
) -> None:
    troubled = [Endpoint(name, answer) for name, answer in {**PASSING, **FINAL}.items()]
    with (
        answering(*taking(dict.fromkeys(TEN, says("200 OK")))) as sound,
        answering(*taking(WELL), *taking(HUGE), *troubled) as ten,
        notifying(tmp_path / "sound", kafka, sound) as without,
        notifying(tmp_path / "ten", kafka, ten) as beside,
    ):
        sent_s = asyncio.run(send([without, beside]))
        for each in (sound, ten):
            wait_taken(each, WELL)
        assert_not_slower(late_s(sound, sent_s), late_s(ten, sent_s))
        failing = ten["failing"].tries_s
        wait_until(lambda: all(len(failing[name]) >= 3 for name in NAMES), "each was tried thrice")
        time.sleep(max(0.0, sent_s[0] + DOWN_S - time.monotonic()))
        assert_in_trouble(ten, standing(beside))
        ten.heal()
        wait_taken(ten, [*WELL, *HUGE, *PASSING], BACK_S)
        wait_until(lambda: not pending(standing(beside)), "all is written down")
        assert_over(standing(beside))
        assert_on_schedule(ten)
