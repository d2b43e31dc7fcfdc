"""Contestants: each in a process of its own, started once, run by turns."""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

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
            (seats[name],) = stack.enter_context(seated(start))
        for number in range(1, rounds + 1):
            for name, run in seats.items():
                rates[name].append(run())
                say(f"  round {number}/{rounds} {name}: {rates[name][-1]:.1f} {unit}")
    return rates


@contextmanager
def seated(*starts: Callable[[], Callable[..., Any]]) -> Iterator[list[Callable[..., Any]]]:
    """What each of ``starts`` returns, to be called from here; they are made ready side by side.

    What goes between the processes is pickled. Raises `RuntimeError` where one goes wrong there.
    """
    with ExitStack() as stack:
        seats = [stack.enter_context(_process(start)) for start in starts]
        for seat in seats:
            _answer(seat)
        yield [partial(_ask, seat) for seat in seats]


@contextmanager
def _process(start: Callable[[], Callable[..., Any]]) -> Iterator[Connection]:
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_serve, args=(start, theirs))
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.join(LEAVE_S)
        process.kill()


def _ask(connection: Connection, *given: Any) -> Any:
    connection.send(given)
    return _answer(connection)


def _answer(connection: Connection) -> Any:
    wrong, answer = connection.recv()
    if wrong is not None:
        raise RuntimeError(wrong)
    return answer


def _serve(start: Callable[[], Callable[..., Any]], connection: Connection) -> None:
    """Answers are pairs: what went wrong, as text, and what was returned."""
    try:
        run = start()
        connection.send((None, None))
        while True:
            given = connection.recv()
            connection.send((None, run(*given)))
    except EOFError:
        return
    except Exception as error:
        connection.send((f"{type(error).__name__}: {error}", None))
