"""Masks straight from prototypes equal ultralytics' ``process_mask_native``, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.models.letterbox import fit
from connectors.models.mask_edges import edges, scaling
from stream.masks import Mask

WINDOWS = [(432, 768), (360, 640), (576, 704), (760, 1344), (768, 432), (50, 70), (97, 33)]
"""Sizes that take each way: enlarged by 1, 2 and 4 before the scaling, and scaled down."""


def _prototypes(window: tuple[int, int], seed: int) -> np.ndarray:
    rows, columns = (side // 4 for side in fit(window, 640, 32).network)
    return np.random.default_rng(seed).normal(size=(rows, columns, 32)).astype(np.float32)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), window=st.sampled_from(WINDOWS), data=st.data())
def test_a_mask_equals_the_reference(
    reference: None, seed: int, window: tuple[int, int], data: st.DataObject
) -> None:
    import torch
    from ultralytics.utils.ops import process_mask_native

    height, width = window
    prototypes = _prototypes(window, seed)
    weights = np.random.default_rng(seed + 1).normal(size=32).astype(np.float32)
    sides = [data.draw(st.floats(0, side, width=32)) for side in (width, height, width, height)]
    box = (*np.minimum(sides[:2], sides[2:]), *np.maximum(sides[:2], sides[2:]))
    expected = process_mask_native(
        torch.from_numpy(prototypes).permute(2, 0, 1).contiguous(),
        torch.from_numpy(weights)[None],
        torch.tensor([box], dtype=torch.float32),
        window,
    )[0].numpy()
    how = scaling(prototypes.shape[:2], window)
    mask = Mask.from_edges(window, edges(prototypes, weights, box, how, (0, 0, height)))
    # Noise crosses zero everywhere; a few crossings lie within float32 rounding of a pixel.
    assert np.count_nonzero(mask.bitmap() != expected) <= 1e-4 * expected.size


def test_a_mask_in_a_window_lies_there_in_the_frame() -> None:
    window = (60, 80)
    prototypes = _prototypes(window, 0)
    weights = np.ones(32, np.float32)
    how = scaling(prototypes.shape[:2], window)
    box = (10.0, 5.0, 70.0, 50.0)
    alone = Mask.from_edges(window, edges(prototypes, weights, box, how, (0, 0, 60)))
    placed = Mask.from_edges((200, 300), edges(prototypes, weights, box, how, (100, 30, 200)))
    np.testing.assert_array_equal(placed.bitmap()[30:90, 100:180], alone.bitmap())
    assert placed.area == alone.area


@pytest.mark.parametrize("box", [(5.0, 5.0, 5.0, 9.0), (5.2, 5.0, 5.9, 9.0), (0.0, 0.0, 0.0, 0.0)])
def test_a_box_without_a_pixel_has_no_mask(box: tuple[float, float, float, float]) -> None:
    prototypes = _prototypes((60, 80), 0)
    how = scaling(prototypes.shape[:2], (60, 80))
    assert not len(edges(prototypes, np.ones(32, np.float32), box, how, (0, 0, 60)))


def test_a_mask_that_fills_its_frame_is_one_run() -> None:
    window = (60, 80)
    prototypes = np.ones_like(_prototypes(window, 0))
    how = scaling(prototypes.shape[:2], window)
    runs = edges(prototypes, np.ones(32, np.float32), (0.0, 0.0, 80.0, 60.0), how, (0, 0, 60))
    assert Mask.from_edges(window, runs).edges.tolist() == [0, 4800]
