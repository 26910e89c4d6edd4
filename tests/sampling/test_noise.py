"""The noise of pictures: who draws what, in which order (BEHAVIOUR section 1)."""

import pytest
import torch

from modules.sampling import NoiseSource
from modules.sampling.noise import slerp
from tests.sampling.worlds import noise_of

SHAPE = (4, 6, 5)


def drawn(seed: int, *shapes: tuple[int, ...]) -> list[torch.Tensor]:
    """Draws of torch's own CPU generator."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) for shape in shapes]


@pytest.mark.parametrize("source", [NoiseSource.GPU, NoiseSource.CPU])
def test_the_first_noise_and_the_later_ones_are_draws_of_one_generator(source):
    noise = noise_of(42, source=source)
    first, second, third = drawn(42, SHAPE, SHAPE, SHAPE)
    assert torch.equal(noise.first()[0], first)
    assert torch.equal(noise.next()[0], second)
    assert torch.equal(noise.next()[0], third)


@pytest.mark.parametrize("source", list(NoiseSource))
def test_every_picture_of_a_batch_draws_what_it_draws_alone(source):
    seeds = (7, -3, 2**35, 0)
    batch = noise_of(*seeds, source=source)
    alone = [noise_of(seed, source=source) for seed in seeds]
    for draw in (lambda noise: noise.first(), lambda noise: noise.next(), lambda noise: noise.next()):
        assert torch.equal(draw(batch), torch.cat([draw(noise) for noise in alone]))


@pytest.mark.parametrize("source", list(NoiseSource))
def test_seeds_count_modulo_two_to_the_64(source):
    assert torch.equal(noise_of(-5, source=source).first(), noise_of(2**64 - 5, source=source).first())
    assert torch.equal(noise_of(2**70 + 3, source=source).first(), noise_of(3, source=source).first())


def test_ensd_changes_every_draw_but_the_first():
    noise = noise_of(10, eta_noise_seed_delta=31337)
    assert torch.equal(noise.first()[0], drawn(10, SHAPE)[0])
    later = drawn(10 + 31337, SHAPE, SHAPE)
    assert torch.equal(noise.next()[0], later[0])
    assert torch.equal(noise.next()[0], later[1])


def test_a_variation_lies_between_the_two_seeds():
    (low,), (high,) = drawn(1, SHAPE), drawn(2, SHAPE)
    mixed = noise_of(1, subseeds=(2,), subseed_strength=0.25).first()[0]
    torch.testing.assert_close(mixed, slerp(0.25, low, high))
    torch.testing.assert_close(noise_of(1, subseeds=(2,), subseed_strength=1.0).first()[0], high)


def test_slerp_keeps_the_angle_in_proportion_along_the_height():
    low, high = torch.zeros(1, 2, 1), torch.zeros(1, 2, 1)
    low[0, 0, 0], high[0, 1, 0] = 1.0, 1.0
    half = 2**-0.5
    torch.testing.assert_close(slerp(0.5, low, high).flatten(), torch.tensor([half, half]))


def test_noises_that_are_almost_parallel_are_mixed_the_wrong_way_round():
    (low,) = drawn(1, SHAPE)
    torch.testing.assert_close(slerp(0.25, low, low * 3), low * 0.25 + low * 3 * 0.75)


@pytest.mark.parametrize(
    ("size", "inner", "patch"),
    [
        ((24, 32), (slice(1, 5), slice(1, 4)), (slice(0, 4), slice(0, 3))),  # smaller: laid in the middle
        ((56, 64), (slice(0, 6), slice(0, 5)), (slice(1, 7), slice(1, 6))),  # larger: its middle is cut out
        ((24, 64), (slice(0, 6), slice(1, 4)), (slice(1, 7), slice(0, 3))),  # narrower and higher
    ],
)
def test_resize_seed_lays_the_other_sizes_noise_over_the_middle(size, inner, patch):
    width, height = size
    (ground,), (other,) = drawn(9, SHAPE), drawn(9, (4, height // 8, width // 8))
    expected = ground.clone()
    expected[:, inner[0], inner[1]] = other[:, patch[0], patch[1]]
    assert torch.equal(noise_of(9, resize_from=size).first()[0], expected)


def test_resizing_to_the_same_size_changes_nothing():
    noise = noise_of(9, resize_from=(40, 48))
    first, second = drawn(9, SHAPE, SHAPE)
    assert torch.equal(noise.first()[0], first)
    assert torch.equal(noise.next()[0], second)
