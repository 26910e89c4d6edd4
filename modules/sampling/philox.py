"""The normal numbers that CUDA's generator draws, computed on any machine (BEHAVIOUR section 2).

Philox 4x32-10: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
"""

import math

import numpy as np
import numpy.typing as npt

__all__ = ["philox_4x32", "philox_normals"]

ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
LOW = 0xFFFFFFFF

Words = npt.NDArray[np.uint64]


def philox_4x32(
    counter: tuple[Words, Words, Words, Words], key: tuple[int, int]
) -> tuple[Words, Words, Words, Words]:
    """Ten rounds over four counters of equal shape, 32 bits each, held in 64-bit words. `key`: two 32-bit
    words.
    """
    mask, half = np.uint64(LOW), np.uint64(32)
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        wide0, wide1 = c0 * np.uint64(MULTIPLIERS[0]), c2 * np.uint64(MULTIPLIERS[1])
        c0, c1, c2, c3 = (
            (wide1 >> half) ^ c1 ^ np.uint64(k0),
            wide1 & mask,
            (wide0 >> half) ^ c3 ^ np.uint64(k1),
            wide0 & mask,
        )
        k0, k1 = (k0 + KEY_STEPS[0]) & LOW, (k1 + KEY_STEPS[1]) & LOW
    return c0, c1, c2, c3


def philox_normals(seed: int, draw: int, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Draw number `draw` (0 for the first) of the generator with `seed` (modulo 2^64): float32 normals of
    `shape`.
    """
    count = math.prod(shape)
    index = np.arange(count, dtype=np.uint64)
    none = np.zeros(count, dtype=np.uint64)
    key = seed & LOW, (seed >> 32) & LOW
    first, second, _, _ = philox_4x32((none + np.uint64(draw), none, index, none), key)
    scale = np.float32(2**-32)
    u = first.astype(np.float32) * scale + scale / 2
    v = second.astype(np.float32) * (scale * np.float32(2 * math.pi)) + scale * np.float32(math.pi)
    return (np.sqrt(-2 * np.log(u)) * np.sin(v)).astype(np.float32).reshape(shape)
