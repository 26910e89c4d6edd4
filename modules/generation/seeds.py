"""Which seed each picture of a request has."""

import secrets
from dataclasses import dataclass

__all__ = ["LARGEST_DRAWN_SEED", "Seeds", "draw_seed", "seeds_of_pictures"]

LARGEST_DRAWN_SEED = 4294967293


@dataclass(frozen=True)
class Seeds:
    """Seed and variation seed of each picture, in the order of the pictures."""

    seeds: tuple[int, ...]
    subseeds: tuple[int, ...]


def draw_seed(asked: int) -> int:
    """`asked` itself, or for -1 a random seed in 0 .. 4294967293."""
    return secrets.randbelow(LARGEST_DRAWN_SEED + 1) if asked == -1 else asked


def seeds_of_pictures(seed: int, subseed: int, subseed_strength: float, count: int) -> Seeds:
    """Seeds for `count` pictures (BEHAVIOUR section 1): with a variation all share the seed, else each has
    the next.
    """
    step = 0 if subseed_strength else 1
    return Seeds(tuple(seed + step * k for k in range(count)), tuple(subseed + k for k in range(count)))
