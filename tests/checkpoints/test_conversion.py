"""Numbers of one type as numbers of another are those that torch makes, whichever way they go."""

import pytest
import torch

from modules.checkpoints.conversion import BLOCK, converted

EDGES = [0.0, -0.0, 1.0, 65504.0, -65504.0, 6e-8, 6.1e-5, 1.00390625, 1.01171875, float("inf"), float("nan")]


@pytest.mark.parametrize("wanted", [torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn])
@pytest.mark.parametrize("stored", [torch.float32, torch.float16, torch.bfloat16, torch.float8_e5m2])
def test_bits_are_those_of_torchs_own_conversion(stored, wanted):
    many = torch.randn(3 * BLOCK - len(EDGES), generator=torch.Generator().manual_seed(1)) * 8
    numbers = torch.cat([torch.tensor(EDGES), many]).to(stored).view(3, -1)
    made, expected = converted(numbers, wanted, "cpu"), numbers.to(wanted)
    assert made.dtype is wanted
    assert made.shape == numbers.shape
    # As whole numbers: one NaN is not equal to another.
    width = {1: torch.uint8, 2: torch.int16, 4: torch.int32}[wanted.itemsize]
    assert torch.equal(made.view(width), expected.view(width))


def test_a_copy_has_memory_of_its_own_in_the_ordinary_order():
    numbers = torch.arange(12.0).view(3, 4).t()
    made = converted(numbers, torch.float32, "cpu")
    assert made.is_contiguous()
    assert torch.equal(made, numbers)
    assert made.untyped_storage().data_ptr() != numbers.untyped_storage().data_ptr()
