"""The dashboards as JSON, and where they lie."""

from collections.abc import Mapping
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import alerts, cameras, gpu, overview, pipeline

FOLDER = Path(__file__).parent / "json"

BUILDERS = (overview.build, pipeline.build, cameras.build, gpu.build, alerts.build)
"""In the order of the links at the top of each dashboard."""


def written() -> Mapping[str, str]:
    """The text of each file, by its name."""
    texts = {}
    for build in BUILDERS:
        built = build().build()
        for number, panel in enumerate(built.panels or (), 1):
            panel.id_val = number  # links to a panel name it
        texts[f"{built.uid}.json"] = JSONEncoder(indent=2, sort_keys=True).encode(built) + "\n"
    return texts


def write() -> None:
    """Write every dashboard, and remove what is none any more."""
    FOLDER.mkdir(exist_ok=True)
    texts = written()
    for path in FOLDER.glob("*.json"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text)
