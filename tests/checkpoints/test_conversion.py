"""Numbers of one type as numbers of another are those that torch makes, whichever way they go."""

import pytest
import torch

from modules.checkpoints.conversion import BLOCK, converted

TYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2]
WHOLE = {1: torch.uint8, 2: torch.int16, 4: torch.int32}


def all_numbers(dtype: torch.dtype) -> torch.Tensor:
    """Every bit pattern of a narrow type, of a wide one many; more than a block of them."""
    generator = torch.Generator().manual_seed(1)
    whole = WHOLE[dtype.itemsize]
    patterns = torch.arange(1 << 16).to(whole)
    many = torch.randint(-(1 << 31), 1 << 31, (BLOCK,), generator=generator).to(whole)
    return torch.cat([patterns, many]).view(dtype).view(4, -1)


@pytest.mark.parametrize("wanted", TYPES)
@pytest.mark.parametrize("stored", TYPES)
def test_bits_are_those_of_torchs_own_conversion(stored, wanted):
    numbers = all_numbers(stored)
    made, expected = converted(numbers, wanted, "cpu"), numbers.to(wanted)
    assert made.dtype is wanted
    assert made.shape == numbers.shape
    assert torch.equal(made.isnan(), expected.isnan())
    whole, known = WHOLE[wanted.itemsize], ~expected.isnan()
    assert torch.equal(made.view(whole)[known], expected.view(whole)[known])


def test_a_copy_has_memory_of_its_own_in_the_ordinary_order():
    numbers = torch.arange(12.0).view(3, 4).t()
    made = converted(numbers, torch.float32, "cpu")
    assert made.is_contiguous()
    assert torch.equal(made, numbers)
    assert made.untyped_storage().data_ptr() != numbers.untyped_storage().data_ptr()
