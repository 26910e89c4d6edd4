"""The spacing of noise levels that Karras et al.

2022 found best, https://arxiv.org/abs/2206.00364, equation 5.
"""

__all__ = ["karras_levels", "spread"]


def spread(start: float, end: float, count: int) -> list[float]:
    """`count` numbers evenly from start to end, both included; one number is `start`."""
    return [start + (end - start) * i / max(count - 1, 1) for i in range(count)]


def karras_levels(count: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> list[float]:
    """`count` falling levels from sigma_max to sigma_min, evenly spaced in sigma to the power 1 / rho."""
    return [level**rho for level in spread(sigma_max ** (1 / rho), sigma_min ** (1 / rho), count)]
