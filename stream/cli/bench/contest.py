"""Contestants: each in a process of its own, started once, run by turns."""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection

Run = Callable[[], float]
"""Does the work once and returns the rate it reached, as frames per second."""
Start = Callable[[], Run]
"""Makes a contestant ready: loads, compiles, warms up. Called in its process."""

LEAVE_S = 10.0


def interleave(
    contestants: Mapping[str, Start],
    rounds: int,
    say: Callable[[str], None],
    unit: str = "frames/s",
) -> dict[str, list[float]]:
    """What each contestant's `Run` gave in each round, in ``unit``; they take turns."""
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    with ExitStack() as stack:
        seats = {}
        for name, start in contestants.items():
            say(f"  starting {name}")
            seats[name] = stack.enter_context(_seated(start))
        for number in range(1, rounds + 1):
            for name, run in seats.items():
                rates[name].append(run())
                say(f"  round {number}/{rounds} {name}: {rates[name][-1]:.1f} {unit}")
    return rates


@contextmanager
def _seated(start: Start) -> Iterator[Run]:
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_serve, args=(start, theirs))
    process.start()
    theirs.close()

    def run() -> float:
        ours.send("run")
        return _answer(ours)

    try:
        _answer(ours)
        yield run
    finally:
        ours.close()
        process.join(LEAVE_S)
        process.kill()


def _answer(connection: Connection) -> float:
    answer = connection.recv()
    if isinstance(answer, str):
        raise RuntimeError(answer)
    return float(answer)


def _serve(start: Start, connection: Connection) -> None:
    """Numbers are rates, text is what went wrong."""
    try:
        run = start()
        connection.send(0.0)
        while True:
            connection.recv()
            connection.send(run())
    except EOFError:
        return
    except Exception as error:
        connection.send(f"{type(error).__name__}: {error}")
