"""Several processes that look and end as one."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import choose_encoder
from prometheus_client.parser import text_string_to_metric_families

from connectors.metrics import OPENMETRICS, summed
from connectors.workers import Workers, started
from stream.cli.workers import until_ended
from stream.declared import SHADOW
from stream.errors import DrainTimeoutError
from stream.metrics import Metrics

PATIENT_S = 60.0


@asynccontextmanager
async def working(*words: str) -> AsyncIterator[Workers]:
    """A worker for each word (`tests.support.worker`); the cameras are both's and its own."""

    def command(number: int, channel: int) -> Sequence[str]:
        cameras = f"both,only-{number}"
        module = "tests.support.worker"
        return [sys.executable, "-m", module, str(number), str(channel), cameras, words[number - 1]]

    async with asyncio.timeout(PATIENT_S), started(command, len(words)) as workers:
        yield workers


async def until(ask: Callable[[], Awaitable[object]], expected: object) -> None:
    """Return once that is what is answered: on a busy machine no answer may come in time."""
    while await ask() != expected:  # noqa: ASYNC110 - processes of others call nobody
        await asyncio.sleep(0.05)


async def test_they_are_ready_once_each_is() -> None:
    async with working("ready", "partitions") as workers:
        assert await workers.unready() == ["worker 1 has not started", "worker 2 has not started"]
        await until(workers.unready, ["worker 2: it waits for: partitions"])
        assert await workers.dead() == []
        workers.stop()
        assert await workers.unready() == ["it is stopping"]
        assert await asyncio.gather(*(each.ended() for each in workers.all)) == [0, 0]
        assert await workers.dead() == []


async def test_one_that_hangs_or_died_is_told_with_its_number() -> None:
    async with working("ready", "ready") as workers:
        await until(workers.unready, [])
        os.kill(workers.all[1].pid, signal.SIGSTOP)
        await until(workers.dead, ["worker 2 gave no answer for 0.8 s"])
        os.kill(workers.all[1].pid, signal.SIGKILL)
        assert await workers.all[1].ended() == 137
        await until(workers.dead, ["worker 2 ended with exit code 137 (Killed)"])


async def test_their_figures_add_up_and_those_of_the_dead_stay() -> None:
    async with working("ready", "ready") as workers:
        os.kill(workers.all[1].pid, signal.SIGSTOP)
        await until(partial(workers.all[0].reasons, "/readyz"), [])
        assert (await workers.metrics("")).body == b"", "a part of them is not what they do"
        os.kill(workers.all[1].pid, signal.SIGCONT)
        await until(workers.unready, [])

        async def results_of_both() -> float | None:
            text = (await workers.metrics("")).body.decode()
            return value(text, "maskstream_results_total", camera="both")

        await until(results_of_both, 2)
        text = (await workers.metrics("")).body.decode()
        assert value(text, "maskstream_results_total", camera="only-2") == 1
        assert value(text, "maskstream_result_age_seconds_bucket", camera="both", le="0.35") == 2
        assert value(text, "maskstream_result_age_seconds_sum", camera="both") == 0.6
        workers.all[0].kill()
        await workers.all[0].ended()
        assert (await workers.metrics("")).body.decode() == text


def test_what_is_always_1_stays_so_of_the_workers_of_a_shadow() -> None:
    encode, _ = choose_encoder(OPENMETRICS)
    metrics = Metrics(SHADOW)
    metrics.model.labels("next", "b" * 64, "f32").set(1)
    metrics.results.labels("hall").inc()
    text = summed([encode(metrics.registry).decode()] * 2, "").body.decode()
    labels = {"model": "next", "hash": "b" * 64, "precision": "f32"}
    assert value(text, "maskstream_shadow_model_info", **labels) == 1
    assert value(text, "maskstream_shadow_results_total", camera="hall") == 2


async def test_of_one_that_fails_to_give_figures_the_last_stay() -> None:
    async with working("ready", "fails") as workers:
        await until(workers.unready, [])

        async def results_of_both() -> float | None:
            text = (await workers.metrics("")).body.decode()
            return value(text, "maskstream_results_total", camera="both")

        await until(results_of_both, 2)
        assert await results_of_both() == 2


async def test_none_outlives_the_body() -> None:
    async with working("ready", "deaf") as workers:
        await until(workers.unready, [])
    for worker in workers.all:
        with pytest.raises(ProcessLookupError):
            os.kill(worker.pid, 0)


async def test_all_end_well_when_each_does() -> None:
    async with working("ready", "ready") as workers:
        await until(workers.unready, [])
        stop = asyncio.Event()
        stop.set()
        assert await until_ended(workers, stop, PATIENT_S) == 0


async def test_the_first_that_does_not_end_well_gives_the_exit_code(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with working("ready", "75", "ready") as workers:
        await until(workers.unready, [])
        workers.all[2].kill()
        assert await until_ended(workers, asyncio.Event(), PATIENT_S) == 137
    assert caplog.messages == [
        "segment: worker 3 ended with exit code 137 (Killed); the others finish what they hold",
        "segment: worker 2 ended with exit code 75 (drain timed out: work was left)",
    ]


async def test_one_that_does_not_end_in_time_is_told() -> None:
    async with working("deaf") as workers:
        await until(workers.unready, [])
        stop = asyncio.Event()
        stop.set()
        with pytest.raises(DrainTimeoutError, match=r"a worker had not ended 0\.1 s after"):
            await until_ended(workers, stop, 0.1)


def value(text: str, name: str, **labels: str) -> float | None:
    """A sample of a text in Prometheus' format."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if (sample.name, sample.labels) == (name, labels):
                return float(sample.value)
    return None


seen = st.lists(
    st.tuples(st.sampled_from(["hall", 'a "quoted"\\ name\n']), st.integers(0, 8)), max_size=20
)


def in_openmetrics(registry: CollectorRegistry) -> str:
    encode, _ = choose_encoder(OPENMETRICS)
    return encode(registry).decode()


def count(metrics: Metrics, events: Sequence[tuple[str, int]]) -> None:
    for camera, quarters in events:
        metrics.results.labels(camera).inc(quarters)
        metrics.gaps.labels(camera, "stale").inc()
        metrics.result_age.labels(camera).observe(quarters / 4)
        metrics.batch_size.observe(quarters)
        metrics.lag.labels("frames", "0").inc(quarters)
        metrics.model.labels("yard", "a" * 64, "f32").set(1)
        metrics.gpu_busy.labels("0").set(0.5)


@given(st.lists(seen, min_size=1, max_size=4))
def test_the_sum_is_what_one_process_would_have_told(parts: list[list[tuple[str, int]]]) -> None:
    alone, together = Metrics(), []
    for part in parts:
        one = Metrics()
        count(one, part)
        together.append(in_openmetrics(one.registry))
        count(alone, part)
    lines = summed(together, "").body.splitlines()
    assert sorted(lines) == sorted(generate_latest(alone.registry).splitlines())


def test_of_examples_the_newest_is_told_to_who_understands_them() -> None:
    texts = []
    for trace in ("a", "b"):
        metrics = Metrics()
        metrics.result_age.labels("hall").observe(0.3, {"trace_id": trace})
        texts.append(in_openmetrics(metrics.registry))
    told = summed(reversed(texts), OPENMETRICS).body.decode()
    (line,) = (each for each in told.splitlines() if "trace_id" in each)
    assert line.startswith('maskstream_result_age_seconds_bucket{camera="hall",le="0.35"} 2.0 # ')
    assert '{trace_id="b"} 0.3' in line
    assert "trace_id" not in summed(texts, "text/plain").body.decode()


def test_what_is_the_same_for_all_is_not_added_up() -> None:
    texts = []
    for memory, began in ((3.0, 20.0), (5.0, 10.0)):
        registry = CollectorRegistry()
        for name, figure in (
            ("maskstream_build_info", 1.0),
            ("maskstream_gpu_memory_used_bytes", memory),
            ("maskstream_capacity_frames_per_second", memory),
            ("process_resident_memory_bytes", memory),
            ("process_start_time_seconds", began),
        ):
            Gauge(name, name, registry=registry).set(figure)
        texts.append(in_openmetrics(registry))
    told = summed(texts, "").body.decode().splitlines()
    lines = [each for each in told if not each.startswith("#")]
    assert dict(each.split() for each in lines) == {
        "maskstream_build_info": "1.0",
        "maskstream_gpu_memory_used_bytes": "5.0",
        "maskstream_capacity_frames_per_second": "8.0",
        "process_resident_memory_bytes": "8.0",
        "process_start_time_seconds": "10.0",
    }
