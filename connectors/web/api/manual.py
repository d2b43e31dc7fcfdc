"""The document of the API as a page: plain HTML, without a script."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from connectors.web.api.operation import allowed

_HEAD = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>maskstream: HTTP API</title>
  <link rel="stylesheet" href="/static/plain.css">
</head>
<body>
<main>
"""


def manual(document: Mapping[str, Any]) -> str:
    """All that ``document`` says, for people."""
    return "\n".join([_HEAD, *_body(document), "</main>\n</body>\n</html>\n"])


def _body(document: Mapping[str, Any]) -> Iterator[str]:
    info = document["info"]
    yield f"<h1>{_text(info['title'])} {_text(info['version'])}: HTTP API</h1>"
    yield f"<p>{_text(info['description'])} For programs: "
    yield '<a href="/v1/openapi.json">/v1/openapi.json</a>.</p>'
    if "security" in document:
        yield "<p>Each request shows the token: <code>Authorization: Bearer TOKEN</code>.</p>"
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield from _operation(method.upper(), path, operation)
    for name, schema in document["components"]["schemas"].items():
        yield f'<h2 id="{_text(name)}">{_text(name)}</h2>'
        yield f"<p>{_text(schema.get('description', ''))}</p>"
        yield f"<pre>{_text(json.dumps(schema.get('properties', {}), indent=2))}</pre>"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h2><code>{method} {_text(path)}</code></h2>"
    yield f"<p>{_text(operation['summary'])}</p>"
    if operation["parameters"]:
        yield "<h3>Parameters</h3>"
        yield _table(
            (f"<code>{_text(each['name'])}</code>", _may_be(each), _text(each["description"]))
            for each in operation["parameters"]
        )
    if "requestBody" in operation:
        yield f"<h3>Body</h3><p>{_media(operation['requestBody'])}</p>"
    yield "<h3>Answers</h3>"
    yield _table(
        (_text(status), _text(answer["description"]), _media(answer))
        for status, answer in operation["responses"].items()
    )


def _may_be(parameter: Mapping[str, Any]) -> str:
    schema = parameter["schema"]
    default = f"; default {schema['default']}" if "default" in schema else ""
    return _text(allowed(schema) + default)


def _media(body: Mapping[str, Any]) -> str:
    return ", ".join(
        f"<code>{_text(kind)}</code>{_link(said['schema'])}"
        for kind, said in body["content"].items()
    )


def _link(schema: Mapping[str, Any]) -> str:
    name = _text(schema.get("$ref", "").rpartition("/")[2])
    return f' <a href="#{name}">{name}</a>' if name else ""


def _table(rows: Iterator[tuple[str, ...]]) -> str:
    cells = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def _text(value: object) -> str:
    return escape(str(value))
