"""Brownian paths, against torchsde's own tree."""

import math

import pytest
import torch
import torchsde
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.sampling.brownian import BrownianNoise, BrownianTree
from modules.sampling.generators import NoiseSource

SHAPE = (4, 3, 2)
CPU = torch.device("cpu")
START, END = 0.02916753, 14.614642


def make_tree(seed: int, source: NoiseSource = NoiseSource.CPU) -> BrownianTree:
    return BrownianTree(seed, START, END, SHAPE, source, CPU)


@pytest.mark.parametrize("seed", [0, 1234, 2**40 + 7])
def test_increments_are_those_of_torchsde(seed):
    reference = torchsde.BrownianTree(START, torch.zeros(SHAPE), END, entropy=seed)
    tree = make_tree(seed)
    for a, b in [(9.1029, 14.614642), (5.4784, 9.1029), (0.447, 0.914), (0.0819, 0.447), (START, 0.0819)]:
        torch.testing.assert_close(tree.at(b) - tree.at(a), reference(a, b), atol=5e-6, rtol=1e-5)


@settings(max_examples=25)
@given(st.lists(st.floats(0.03, 14.6), min_size=2, max_size=6))
def test_the_path_does_not_depend_on_the_order_of_questions(times):
    asked, again = make_tree(3), make_tree(3)
    forward = [asked.at(time) for time in times]
    backward = [again.at(time) for time in reversed(times)][::-1]
    for one, other in zip(forward, backward, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


def test_times_outside_count_as_the_ends():
    tree = make_tree(3)
    assert torch.equal(tree.at(START), torch.zeros(SHAPE))
    assert torch.equal(tree.at(-1), tree.at(START))
    assert torch.equal(tree.at(99), tree.at(END))


def test_noise_of_a_step_has_unit_variance_and_steps_are_independent():
    noise = BrownianNoise(range(150), [14.0, 3.0, 1.0, 0.1, 0.0], SHAPE, NoiseSource.CPU, CPU)
    first, second = noise.between(14.0, 3.0).flatten(), noise.between(3.0, 1.0).flatten()
    for one in (first, second):
        assert abs(one.mean()) < 4.5 / math.sqrt(len(one))
        assert one.std() == pytest.approx(1, abs=0.05)
    assert abs((first * second).mean()) < 4 / math.sqrt(len(first))


def test_a_step_is_the_sum_of_its_parts():
    noise = BrownianNoise([1], [14.0, 3.0, 1.0, 0.0], SHAPE, NoiseSource.CPU, CPU)
    parts = noise.between(14.0, 3.0) * math.sqrt(11) + noise.between(3.0, 1.0) * math.sqrt(2)
    torch.testing.assert_close(noise.between(14.0, 1.0) * math.sqrt(13), parts)


def test_the_source_decides_the_numbers():
    assert not torch.allclose(make_tree(3).at(1.0), make_tree(3, NoiseSource.NV).at(1.0))


def test_a_negative_seed_has_a_path_too():
    assert torch.isfinite(make_tree(-7).at(1.0)).all()
