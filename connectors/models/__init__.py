"""Networks that segment: making artefacts of them, and running them on OpenVINO or torch.

`open_model` is the way in. Only `device_errors`, `export`, `raw_head` and `torch_network` import
torch, and nothing here imports those unless they are asked for.
"""

from connectors.models.artefact import Artefact, Manifest
from connectors.models.build import Build, build_artefact, cached_artefact
from connectors.models.opening import open_model

__all__ = ["Artefact", "Build", "Manifest", "build_artefact", "cached_artefact", "open_model"]
