"""What ``maskstream bench gpu`` tells of rounds, and what it keeps of them."""

from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path

from rich.console import Console

from stream.cli.bench.gpu.case import Case
from stream.cli.bench.gpu.shifts import LeftOut, Shift
from stream.cli.bench.gpu.telling import keep, tell
from stream.cli.bench.gpu.turns import DETECT, NETWORK, RIVAL, Measured, Rounds, taken, together
from stream.cli.bench.report import Report
from stream.cli.bench.scale import quick

ROLE = "segment, 1 worker"


def case(network: str = "yolov8n-seg") -> Case:
    scale = quick(Path(), None, None).card
    return Case(network, Path(), False, Path(), "f32", Path(), (432, 768), (384, 640), scale)


def worker(calls: list[tuple[int, float | None]], name: int, frames: int) -> Callable[..., Shift]:
    """Does ``frames`` in 2 s with 1 s of a core, and at 70 % its results are so many ms old."""

    def run(batch: int, load: float | None) -> Shift:
        calls.append((name, load))
        return Shift(frames, 2.0, 1.0, 100.0, None, ages_ms=(frames,) if load else ())

    return run


def measured(rate: float, p99_ms: float | None = None) -> Measured:
    p50_ms = None if p99_ms is None else p99_ms / 2
    return Measured(rate, 2.5, None, None, "", "", p50_ms, p99_ms)


ROUNDS: Rounds = {
    (NETWORK, 1): [measured(100), measured(200)],
    (NETWORK, 2): [measured(400), measured(500)],
    (RIVAL, 1): [measured(60), measured(50)],
    (RIVAL, 2): [measured(40), measured(50)],
    (ROLE, 1): [measured(90, 7), measured(150, 9)],
    (ROLE, 2): [measured(300, 20), measured(400, 40)],
}


def kept(rounds: Rounds, network: str = "yolov8n-seg") -> Mapping[str, float | str]:
    report = Report(Console(file=StringIO()), None)
    keep(report, case(network), rounds)
    return report.figures


def test_figures_are_those_of_the_best_batch_of_each() -> None:
    assert kept(ROUNDS) == {
        "gpu.vs_ultralytics": 6.5,  # the median of 300 / 60 and 400 / 50
        "gpu.frames_per_s": 350,
        "gpu.p99_ms": 30,
        "gpu.cores_per_1000": 2.5,
    }
    assert kept(ROUNDS, "yolov8m-seg") == {"gpu.m_role_vs_network": 0.775}
    assert kept(ROUNDS, "yolov8s-seg") == {}


def test_what_was_not_taken_is_no_figure() -> None:
    alone = {key: of for key, of in ROUNDS.items() if key[0] == NETWORK}
    assert kept(alone) == kept(alone, "yolov8m-seg") == {}
    no_rival = {key: of for key, of in ROUNDS.items() if key[0] != RIVAL}
    assert kept(no_rival).keys() == kept(ROUNDS).keys() - {"gpu.vs_ultralytics"}


def test_tables_give_each_ratio_to_the_network_in_batches_of_the_same_size() -> None:
    text = StringIO()
    tell(Report(Console(file=text, width=100), None), case(), ROUNDS)
    rates, costs = text.getvalue().split("\n\n")
    assert "segment, 1 worker        1   120.0 (90.0…150.0)  0.82 (0.75…0.90)" in rates
    assert "segment, 1 worker        2  350.0 (300.0…400.0)  0.78 (0.75…0.80)" in rates
    assert "segment, 1 worker        1     4.0     8.0   —  —   2.50        8" in costs
    assert "network alone            1       —       —   —  —   2.50        —" in costs


def test_a_batch_that_finds_no_memory_is_left_out_and_the_others_go_on() -> None:
    said: list[str] = []
    asked: list[int] = []

    def small(batch: int) -> Measured | LeftOut:
        asked.append(batch)
        return LeftOut("out of memory") if batch > 1 else measured(1)

    rounds = taken({DETECT: small, NETWORK: measured}, (1, 2), 2, said.append)
    assert {key: len(of) for key, of in rounds.items()} == {
        (DETECT, 1): 2, (NETWORK, 1): 2, (NETWORK, 2): 2,
    }  # fmt: skip
    assert asked == [1, 2, 1]
    assert (
        sum("left out: network to detections, batches of 2: out of" in each for each in said) == 1
    )


def test_no_worker_begins_before_all_are_ready_and_each_is_loaded_by_its_own_rate() -> None:
    calls: list[tuple[int, float | None]] = []
    of = together([worker(calls, 0, 200), worker(calls, 1, 600)], 8)
    assert calls[:2] == [(0, 0.0), (1, 0.0)]
    assert set(calls[2:4]) == {(0, None), (1, None)}
    assert set(calls[4:]) == {(0, 70.0), (1, 210.0)}
    assert isinstance(of, Measured)
    assert (of.rate, of.cores_per_1000, of.memory_mb, of.watts) == (400, 2.5, 200, None)
    assert (of.p50_ms, of.p99_ms) == (400, 596)


def test_a_worker_without_memory_leaves_out_all_of_them() -> None:
    calls: list[tuple[int, float | None]] = []
    of = together([worker(calls, 0, 200), lambda *_: LeftOut("out of memory")], 8)
    assert of == LeftOut("out of memory")
    assert calls == [(0, 0.0)]
