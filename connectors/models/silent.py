"""OpenVINO, kept from reporting to its maker: ``from connectors.models.silent import openvino``.

Where ``openvino_telemetry`` is installed, on which OpenVINO depends, importing it sends an event
over the network and writes an identity for that into the home folder; its converter and NNCF send
more. Without the package they go on in silence. No variable of the environment asks for that.
"""

import sys

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

import openvino  # noqa: E402

__all__ = ["openvino"]
