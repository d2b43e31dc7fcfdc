"""YOLOv8-seg as a plain convolution network: a letterboxed picture in, raw logits out.

Nothing is decoded in the network, so its graph holds no anchors and serves any input size, and the
few cells that pass the threshold are all that is ever decoded. Only this package's export and its
torch network import this module: it needs torch and ultralytics.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

LICENCE = "AGPL-3.0"
MASKS = 32


class RawHead(nn.Module):  # type: ignore[misc]
    """The network of an ultralytics ``SegmentationModel``, fused, with undecoded outputs.

    Input: uint8 (batch, height, width, 3), BGR. Outputs, all (batch, rows, columns, channels):
    for each level box bins (64), label logits, mask weights (32); then the prototypes (32).
    Channels come last because they do so in the network's own memory (no copy on the way out),
    and because what is read later are all channels of a few cells.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.layers = network.model
        self.kept = frozenset(network.save)
        self.strides = tuple(int(stride) for stride in network.stride)

    def fold_input(self) -> None:
        """Move BGR to RGB and the division by 255 into the first convolution's weights.

        Besides two passes over the picture this saves bf16 from rounding it: the integers 0…255
        are exact in bf16, their 255th parts are not.
        """
        weight = self.layers[0].conv.weight
        with torch.no_grad():
            weight.copy_(weight.flip(1) / 255)

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """Run on pictures whose scaling `fold_input` took over."""
        return self.run(pictures.permute(0, 3, 1, 2).float())

    def run(self, planes: Tensor) -> tuple[Tensor, ...]:
        """Run on (batch, 3, height, width) in the dtype of the weights."""
        outputs: list[Tensor | None] = []
        x: Any = planes
        for layer in self.layers[:-1]:
            x = layer(self._input(layer.f, x, outputs))
            outputs.append(x if layer.i in self.kept else None)
        head = self.layers[-1]
        features = self._input(head.f, x, outputs)
        raw = [
            branch[level](feature)
            for level, feature in enumerate(features)
            for branch in (head.cv2, head.cv3, head.cv4)
        ]
        return tuple(x.permute(0, 2, 3, 1) for x in (*raw, head.proto(features[0])))

    @staticmethod
    def _input(source: int | list[int], x: Any, outputs: list[Tensor | None]) -> Any:
        if isinstance(source, int):
            return x if source == -1 else outputs[source]
        return [x if index == -1 else outputs[index] for index in source]


def rebuild(architecture: Mapping[str, Any], state: Mapping[str, Tensor]) -> RawHead:
    """The network from its layers as ultralytics writes them and its tensors."""
    from ultralytics.nn.tasks import SegmentationModel

    network = SegmentationModel(dict(architecture), verbose=False)
    network.load_state_dict(state)
    return RawHead(network.eval().fuse(verbose=False))
