"""Every metric, declared once."""

import re

from prometheus_client import generate_latest

from stream.metrics import Metrics


def families() -> dict[str, tuple[str, str]]:
    """Name → (type, help) of all metrics."""
    return {each.name: (each.type, each.documentation) for each in Metrics().registry.collect()}


def test_each_name_says_whose_it_is_and_each_has_a_help_text() -> None:
    assert len(families()) > 10
    for name, (_, text) in families().items():
        assert re.fullmatch(r"maskstream_[a-z]+(_[a-z]+)*", name)
        assert text


def test_histograms_name_their_unit() -> None:
    for name, (kind, _) in families().items():
        if kind == "histogram":
            assert name.endswith(("_seconds", "_views"))


def test_processes_in_one_interpreter_do_not_share_figures() -> None:
    one, other = Metrics(), Metrics()
    one.results.labels("hall").inc(3)
    assert one.registry.get_sample_value("maskstream_results_total", {"camera": "hall"}) == 3
    assert other.registry.get_sample_value("maskstream_results_total", {"camera": "hall"}) is None
    assert b"maskstream_results_total" in generate_latest(one.registry)
