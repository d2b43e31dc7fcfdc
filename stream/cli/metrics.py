"""``maskstream metrics docs``: the reference page of all metrics, from their declarations."""

from collections.abc import Iterator, Mapping
from itertools import groupby

from prometheus_client import CollectorRegistry, ProcessCollector

from stream.declared import Declared
from stream.metrics import Metrics
from stream.stages import Stage

HEAD = """\
# Metrics

<!-- Written by `maskstream metrics docs`; do not edit. -->

Each role on Kafka answers `/metrics` beside its probes (`health` of the
[configuration](configuration.md)), in Prometheus' text format; `maskstream run` and `demo` do so
beside the live page, for all roles at once. Under `segment --workers N` one page speaks for all
workers, once all have started: figures are added up, but for those of a card, of which the highest
counts, and for what is always 1.

A counter of faults is there at 0 before the first fault, once its camera or endpoint is known, so
that `increase()` sees the first one. What a role does not know has no sample: nothing of a GPU
where there is none, no lag while brokers do not answer. Gauges forget a camera or a partition that
is another process's by now, and so does what `segment` counts by camera. Cards are all that the
driver shows to a process with a model, by its numbers: `CUDA_VISIBLE_DEVICES` hides none here.

`maskstream segment --shadow` and `compare` are no part of the pipeline. Their names begin with
`maskstream_shadow_` where those below begin with `maskstream_`: `maskstream_shadow_results_total`,
`maskstream_shadow_lag_records`. So no sum, recording or alarm counts a shadow among the rest.
"""
STAGES_HEAD = """\
They tell of the frames of cameras, live and of files. What a role tries by itself (its warm-up, its
capacity, its canary) and the pictures of `POST /v1/segment` are in no stage and in no batch here;
`maskstream_request_seconds` tells of the latter.
"""
STAGES: Mapping[Stage, str] = {
    "ingest_decode": "the decoder's work for a picture, and its conversion to BGR",
    "ingest_encode": "to JPEG; next to nothing where pixels travel as they are (`memory://`)",
    "ingest_publish": "handed to the transport until acknowledged",
    "segment_decode": "from JPEG, with the wait for a thread",
    "segment_wait": "in the queue for the model, until its batch is full or due",
    "segment_preprocess": "a batch: letterboxing, with the wait for a thread of the model",
    "segment_network": "a batch: the network; on CUDA with boxes, as the card runs both in one go",
    "segment_postprocess": "a batch: boxes and masks; on CUDA masks, and their copy to the host",
    "segment_publish": "answered until the result is acknowledged, behind those before it",
    "watch_track": "a result: identities",
    "watch_rules": "a result: all rules of its camera",
    "watch_publish": "a batch of messages: records acknowledged and state kept",
}
UNITS = {
    "seconds": "s", "bytes": "bytes", "ratio": "0 to 1", "records": "records", "views": "views",
    "instances": "instances", "second": "frames/s",
}  # fmt: skip
"""By the last word of a name; other names count."""


def print_page() -> None:
    """Print the reference page."""
    print(page(), end="")


def page() -> str:
    """The reference page, as Markdown."""
    return "\n".join([HEAD, *_tables(), *_process(), *_stages()]) + "\n"


def _tables() -> Iterator[str]:
    for role, declared in groupby(Metrics().declared, lambda each: each.role):
        yield f"## {role[0].upper()}{role[1:]}\n"
        yield "| metric | type | unit | labels | meaning |"
        yield "|---|---|---|---|---|"
        for each in declared:
            cells = f"`{each.name}`", each.kind, _unit(each.name), _labels(each), _meaning(each)
            yield f"| {' | '.join(cells)} |"
        yield ""


def _unit(name: str) -> str:
    return UNITS.get(name.removesuffix("_total").rpartition("_")[2], "")


def _labels(declared: Declared) -> str:
    told = (_label(name, declared.values(name)) for name in declared.labels)
    return "<br>".join(told) or "none"


def _label(name: str, values: tuple[str, ...]) -> str:
    allowed = ", ".join(f"`{value}`" for value in values)
    return f"`{name}`: {allowed}" if allowed else f"`{name}`"


def _meaning(declared: Declared) -> str:
    buckets = ", ".join(f"{bound:g}" for bound in declared.buckets)
    return declared.text + (f"<br>buckets up to {buckets}" if buckets else "")


def _process() -> Iterator[str]:
    yield "## Every process\n"
    yield "As Prometheus' own clients name them; `process_start_time_seconds` shows restarts.\n"
    yield "| metric | type | meaning |"
    yield "|---|---|---|"
    for family in ProcessCollector(registry=CollectorRegistry()).collect():
        suffix = "_total" if family.type == "counter" else ""
        yield f"| `{family.name}{suffix}` | {family.type} | {family.documentation} |"
    yield ""


def _stages() -> Iterator[str]:
    yield "## Stages\n"
    yield STAGES_HEAD
    yield "| `stage` of `maskstream_stage_seconds` | what takes the time |"
    yield "|---|---|"
    yield from (f"| `{stage}` | {text} |" for stage, text in STAGES.items())
