"""The reference page of the configuration, written from the settings themselves."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stream.config.bounds import number_in_words, plain
from stream.config.words import resolved, settings_schema
from stream.specs import duration

EXAMPLE = """\
transport: memory://
model: {weights: ../shared/weights/yolov8n-seg.pt, backend: auto, precision: bf16, image_size: 640,
        confidence: 0.25, iou: 0.7, labels: [person], sha256: null}
cameras:
  - {id: hall, url: ../shared/video/one-by-one-person-detection.mp4, mode: archive, fps: 10}
zones:        # fractions of width, height
  - {id: exit, camera: hall, polygon: [[0.8, 0.3], [1.0, 0.3], [1.0, 1.0], [0.8, 1.0]]}
rules:
  - {id: person-leaves, kind: presence, zone: exit, labels: [person], overlap: 0.3, frames: 3,
     cooldown: 5s, severity: warning, notify: [ops]}
endpoints:
  - {id: ops, url: "http://127.0.0.1:9000/hook", secret: {env: OPS_SECRET}, allow_private: true}
outputs: {results: out/results.jsonl, video: out/annotated.mp4}
"""

_HEAD = f"""\
# Configuration

<!-- Written by `maskstream config docs`; do not edit. -->

One YAML file says everything. `maskstream check CONFIG` tells whether it is right, and prints it
with every default filled in and no secret shown.

```yaml
{EXAMPLE}```

## How it is read
- Paths are relative to the configuration file.
- Points and rectangles are fractions of the frame's width and height, from its top left corner.
- A duration is a number of seconds, or text with a unit: `500ms`, `5s`, `2m`, `1h`, `30d`.
- An id matches `^[a-z0-9][a-z0-9-]{{0,62}}$`, and is there once among cameras, zones, rules or
  endpoints.
- The YAML is UTF-8, one document, at most 1 MiB. Tags, aliases and repeated keys are refused; `no`
  and `12:30` are text, as in YAML 1.2.
- An unknown key is refused. All faults of a file are told at once, each with its line:
  `maskstream.yaml:4: cameras[0].fps: given -3; allowed: a number above 0 and at most 240`. Unknown
  keys come first; what only follows from a misspelt one is not told beside it. The process then
  ends with exit code 78, before anything has started.
- What is allowed, but may not be meant, is a warning of `check`, `run`, `watch` and `notify`: a
  rule without `notify`, an endpoint that no rule names, a rule on the health of a file.
- Nothing secret stands in the file: an endpoint's secret is named (`env` or `file`), and a URL
  with a password in it is refused.
- `maskstream run` reads the file again when it changes, and takes over its `cameras`, `zones` and
  `rules` within two seconds; `maskstream watch`, `notify` and `web` take over `zones` and `rules`.
  Those that stay as they were go on, and the log says which were added, removed or changed. A file
  with a fault changes nothing; the log then says what `maskstream check` would, and
  `maskstream_reloads_total` counts it. Anything else takes a restart; so do rules that come
  together with other `endpoints`. The log says so, and also where it is changed back.
- On Kafka the cameras that run are those of the registry; `maskstream cameras apply CONFIG` puts
  the list of this file there ([Running on Kafka](kafka.md)).
- A file that this configuration names may lie anywhere, unless `allowed.folder` is set. What comes
  into the registry from elsewhere may name files under `allowed.folder` only.
"""

_TYPES = {
    "boolean": "true or false",
    "string": "text",
    "object": "mapping",
}
_NUMBERS = {"integer", "number"}
_MANY = {"string": "texts", "number": "numbers", "object": "mappings"}


def reference() -> str:
    """The page ``docs/configuration.md``: an example, then each key with type, default, meaning."""
    return "\n".join([_HEAD, *_sections()]).rstrip() + "\n"


def _sections() -> Iterator[str]:
    properties = settings_schema()["properties"]
    yield "## At the top\n"
    yield from _table(settings_schema())
    for name, schema in properties.items():
        listed = "items" in schema
        node = resolved(schema["items"] if listed else schema)
        title = f"`{name}`, a list" if listed else f"`{name}`"
        if "discriminator" in node:
            yield from _kinds(title, schema["description"], node)
        elif "properties" in node:
            yield f"## {title}\n\n{_sentence(node['description'])}\n"
            yield from _table(node)
            yield from _nested(node)


def _nested(node: Mapping[str, Any]) -> Iterator[str]:
    for name, schema in node["properties"].items():
        inner = resolved(resolved(schema).get("items", schema))
        if "properties" in inner:
            yield f"### `{name}`\n\n{_sentence(inner['description'])}\n"
            yield from _table(inner)
            yield from _nested(inner)


def _kinds(title: str, description: str, node: Mapping[str, Any]) -> Iterator[str]:
    """A list whose entries are of several kinds: what all have, what those have that look for
    somebody, and then each kind, with what it says in other words.
    """
    kinds = {tag: resolved({"$ref": ref}) for tag, ref in node["discriminator"]["mapping"].items()}
    told = _common(kinds.values())
    every = {key: said[0] for key, said in told.items() if said.count(said[0]) == len(kinds)}
    seeing = {tag: kind for tag, kind in kinds.items() if "zone" in kind["properties"]}
    told = {key: said for key, said in _common(seeing.values()).items() if key not in every}
    most = {key: max(said, key=said.count) for key, said in told.items()}
    del most[node["discriminator"]["propertyName"]]
    required = next(iter(kinds.values()))["required"]
    names, others = (", ".join(f"`{tag}`" for tag in each) for each in (kinds, seeing))
    yield f"## {title}\n\n{_sentence(description)} All kinds ({names}) have:\n"
    yield from _table({"properties": every, "required": required})
    yield from _nested({"properties": every})
    yield f"### Kinds that look for somebody\n\nThese are {others}. They have as well:\n"
    yield from _table({"properties": most})
    yield from _nested({"properties": most})
    for tag, kind in kinds.items():
        own = {k: schema for k, schema in kind["properties"].items() if k not in every}
        if tag in seeing:
            own = {k: schema for k, schema in own.items() if schema != most.get(k)}
        own.pop(node["discriminator"]["propertyName"])
        yield f"### `kind: {tag}`\n\n{_sentence(kind['description'])}\n"
        yield from _table({"properties": own, "required": kind.get("required", [])})


def _common(kinds: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The keys that all of ``kinds`` have, each with what every kind says of it."""
    asked = [kind["properties"] for kind in kinds]
    keys = [key for key in asked[0] if all(key in each for each in asked)]
    return {key: [each[key] for each in asked] for key in keys}


def _table(node: Mapping[str, Any]) -> Iterator[str]:
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    for key, schema in node["properties"].items():
        default = "required" if key in node.get("required", []) else _default(schema)
        meaning = schema.get("description", "")
        yield f"| `{key}` | {_type(schema)} | {default} | {meaning} |"
    yield ""


def _sentence(text: str) -> str:
    """The first paragraph of a docstring, as a sentence."""
    line = " ".join(text.partition("\n\n")[0].split()).replace("``", "`")
    return line[0].upper() + line[1:].rstrip(".") + "."


def _type(schema: Mapping[str, Any]) -> str:
    node = resolved(schema)
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    if "prefixItems" in node:
        return f"list of {len(node['prefixItems'])} {_many(node['prefixItems'][0])}"
    if "items" in node:
        return f"list of {_many(node['items'])}"
    form = schema.get("format") or node.get("format")
    if node.get("type") in _NUMBERS:
        return number_in_words({**node, "format": form}, _grouped)
    return form or _TYPES[node.get("type", "object")]


def _many(schema: Mapping[str, Any]) -> str:
    node = resolved(schema)
    if "items" in node:
        return f"lists of {_many(node['items'])}"
    return "points" if "prefixItems" in node else _MANY[node.get("type", "object")]


def _grouped(value: float) -> str:
    """As `plain`, with large numbers in groups of three digits."""
    return f"{value:,}".replace(",", " ") if isinstance(value, int) else plain(value)


def _default(schema: Mapping[str, Any]) -> str:
    match schema.get("default"):
        case dict():
            return "see below"
        case []:
            return "none"
        case list() as values:
            return f"`[{', '.join(values)}]`"
        case float() as value if schema.get("format") == "duration":
            return f"`{duration(value)}`"
        case str() as text:
            return f"`{text}`"
        case value:
            return f"`{json.dumps(value)}`"
