"""Collecting figures: printed as tables, kept flat, drawn as plots."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

MANY = 20
"""Points that make a curve by themselves."""


class Report:
    """What a run of benchmarks found. ``figures`` is flat: ``group.name`` → number, or a name."""

    def __init__(self, console: Console, plots: Path | None) -> None:
        self.figures: dict[str, float | str] = {}
        self._console = console
        self._plots = plots

    def say(self, line: str) -> None:
        """Print a line."""
        self._console.print(line, highlight=False)

    def figure(self, name: str, value: float) -> None:
        """Keep a figure."""
        self.figures[name] = round(float(value), 4)

    def fact(self, name: str, value: str) -> None:
        """Keep what is no number, as the name of what was measured on."""
        self.figures[name] = value

    def ratio(self, name: str, ours: Sequence[float], other: Sequence[float]) -> str:
        """Keep the median of ``ours`` over ``other``, round by round; returns it with its range."""
        ratios = np.asarray(ours) / np.asarray(other)
        self.figure(name, float(np.median(ratios)))
        return f"{np.median(ratios):.2f} ({ratios.min():.2f}…{ratios.max():.2f})"

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table; all columns but the first are numbers."""
        table = Table(box=None, pad_edge=False)
        for index, name in enumerate(head):
            table.add_column(name, justify="left" if index == 0 else "right")
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    def rates(self, unit: str, rounds: Mapping[str, Sequence[float]], digits: int = 1) -> None:
        """Print the median and the spread of the rounds."""
        rows = [
            [name, *(f"{value:.{digits}f}" for value in (np.median(of), min(of), max(of)))]
            for name, of in rounds.items()
        ]
        self.table([unit, "median", "lowest", "highest"], rows)

    def bars(self, name: str, title: str, unit: str, rounds: Mapping[str, Sequence[float]]) -> None:
        """Draw medians with the spread of the rounds, where plots are wanted."""
        if self._plots is None:
            return
        figure, axes = _axes(height=0.5 * len(rounds) + 1.2)
        names = list(rounds)[::-1]
        medians = np.array([np.median(rounds[key]) for key in names])
        lows = medians - [min(rounds[key]) for key in names]
        highs = [max(rounds[key]) for key in names] - medians
        axes.barh(names, medians, xerr=np.array([lows, highs]), color="#4c8bf5", ecolor="#333")
        axes.set_title(title)
        axes.set_xlabel(unit)
        _save(figure, self._plots / f"{name}.png")

    def line(
        self,
        name: str,
        title: str,
        axes_names: tuple[str, str],
        points: Sequence[tuple[float, float]],
    ) -> None:
        """Draw a curve, with its points where they are few, where plots are wanted."""
        self.lines(name, title, axes_names, {"": points})

    def lines(
        self,
        name: str,
        title: str,
        axes_names: tuple[str, str],
        curves: Mapping[str, Sequence[tuple[float, float]]],
        *,
        doubles: bool = False,
    ) -> None:
        """Draw several curves, each with its name where there is more than one.

        ``doubles``: what lies along the first axis doubles from point to point.
        """
        if self._plots is None:
            return
        figure, axes = _axes(height=3.5 if len(curves) == 1 else 5.0)
        colours = ["#4c8bf5"] if len(curves) == 1 else [None] * len(curves)
        for (label, points), colour in zip(curves.items(), colours, strict=True):
            marker = "o" if len(points) < MANY else None
            axes.plot(*zip(*points, strict=True), color=colour, marker=marker, label=label)
        if len(curves) > 1:
            axes.legend(frameon=False)
        if doubles:
            axes.set_xscale("log", base=2)
            axes.xaxis.set_major_formatter("{x:g}")
        axes.set_title(title)
        axes.set_xlabel(axes_names[0])
        axes.set_ylabel(axes_names[1])
        axes.set_ylim(0, 1.1 * max(value for points in curves.values() for _, value in points))
        _save(figure, self._plots / f"{name}.png")


def _axes(height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
