"""The emulated CUDA generator, against vectors that others published."""

import numpy as np
import pytest
from scipy import stats

from modules.sampling.philox import philox_4x32, philox_normals

# Random123's kat_vectors for philox4x32-10: counter, key, result.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]

# torch.manual_seed(0); torch.randn(3, 4, device="cuda"), as anyone with such a card sees it.
CUDA_SEED_0 = [
    [-0.92466259, -0.42534415, -2.6438457, 0.14518388],
    [-0.12086647, -0.57972564, -0.62285122, -0.32838709],
    [-1.07454231, -0.36314407, -1.67105067, 2.26550497],
]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_ten_rounds_agree_with_the_known_answers(counter, key, expected):
    words = tuple(np.array([word], dtype=np.uint64) for word in counter)
    assert tuple(int(word[0]) for word in philox_4x32(words, key)) == expected


def test_the_first_numbers_are_those_of_a_cuda_card():
    np.testing.assert_allclose(philox_normals(0, 0, (3, 4)), CUDA_SEED_0, atol=2e-6)


def test_the_numbers_are_standard_normal():
    numbers = philox_normals(1234, 0, (200_000,))
    assert stats.kstest(numbers, "norm").pvalue > 0.001


def test_each_draw_is_another_and_seeds_past_32_bits_differ():
    draws = [philox_normals(seed, draw, (64,)) for seed, draw in ((5, 0), (5, 1), (5 + 2**32, 0), (-5, 0))]
    for i, one in enumerate(draws):
        assert all(not np.allclose(one, other) for other in draws[i + 1 :])


def test_a_negative_seed_is_its_value_modulo_two_to_the_64():
    np.testing.assert_array_equal(philox_normals(-5, 0, (64,)), philox_normals(2**64 - 5, 0, (64,)))
