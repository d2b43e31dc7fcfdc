"""What Grafana does to the queries of a dashboard before it asks Prometheus."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.written import written

ALL = "All"


@dataclass(frozen=True)
class Asked:
    """A query of a panel."""

    board: str
    panel: str
    number: int
    expr: str

    def __str__(self) -> str:
        return f"{self.board} / {self.panel} / {self.number}"


def asked() -> Iterator[Asked]:
    """Every query of every panel of every dashboard."""
    for text in written().values():
        board = json.loads(text)
        for panel in board["panels"]:
            for number, target in enumerate(panel.get("targets", ())):
                title = board["title"].removeprefix("maskstream / ")
                yield Asked(title, panel["title"], number, target["expr"])


def chosen() -> Mapping[str, str]:
    """The query that fills each variable, by its name, and ``All`` in place of every other."""
    board = json.loads(next(iter(written().values())))
    variables: list[Any] = board["templating"]["list"]
    return {each["name"]: each["query"]["query"] for each in variables if each["type"] == "query"}


def filled(expr: str, values: Mapping[str, str], step_s: float, scrape_s: float) -> str:
    """A query as it is sent, with the variables at ``values``, else at ``All`` (``.*``).

    ``$__rate_interval`` is four scrapes, or a step and a scrape where that is more, as Grafana's
    documents say. Raises `AssertionError` where a variable is left.
    """
    rate_s = max(step_s + scrape_s, 4 * scrape_s)
    known = {
        "__rate_interval": f"{rate_s * 1000:.0f}ms",
        "__range": "60s",
        **dict.fromkeys(("namespace", "pod", "camera"), ".*"),
        **values,
    }
    sent = re.sub(r"\$(\w+)", lambda found: known.get(found[1], found[0]), expr)
    assert "$" not in sent, f"nobody fills this in: {sent}"
    return sent
