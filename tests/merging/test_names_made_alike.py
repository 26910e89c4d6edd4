"""Files that write the same tensors under other names are merged as what they are."""

import pytest
import torch

from tests.merging.test_merging import NAMES, numbers

TEXT = "cond_stage_model.transformer."


def older(tensors):
    """The text encoder as the first versions of transformers named it."""
    return {name.replace(f"{TEXT}text_model.", TEXT): tensor for name, tensor in tensors.items()}


def wrapped(tensors):
    return {f"module.{name}": tensor for name, tensor in tensors.items()}


def trained(tensors):
    return {f"model.{name}": tensor for name, tensor in tensors.items()}


def averaged(tensors):
    return {
        f"model_ema.{name.removeprefix('model.').replace('.', '')}" if name.startswith("model.") else name: tensor
        for name, tensor in tensors.items()
    }  # fmt: skip


def both(tensors):
    return wrapped(older(tensors))


@pytest.mark.parametrize(
    ("side", "other"),
    [*((side, other) for side in "ab" for other in (older, wrapped, trained, both)), ("b", averaged)],
)
def test_the_names_of_either_model_do_not_change_the_result(put, merge, other, side):
    put("a", numbers(0))
    put("b", numbers(1))
    wanted = merge(multiplier=0.25, custom_name="wanted").tensors
    put(side, other(numbers("ab".index(side))))
    done = merge(multiplier=0.25, custom_name="found")
    assert {name: wanted[name] for name in NAMES}.keys() <= done.tensors.keys()
    assert all(torch.equal(done.tensors[name], wanted[name]) for name in NAMES)
    # What wraps all of a file is taken off by its reader, and is nothing that a merge has to say.
    assert other is wrapped or any(side.upper() in note for note in done.dry.notes)
    assert done.dry.merged == len(NAMES)
