"""The spacing of noise levels of Karras et al. 2022, https://arxiv.org/abs/2206.00364, equation 5."""

import torch
from torch import Tensor

__all__ = ["karras_levels"]


def karras_levels(count: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> Tensor:
    """`count` falling levels (count,) from sigma_max to sigma_min, even in sigma to the power 1 / rho.

    In float32 and in this order of operations: Brownian noise is asked for at these levels, and feels
    their last bit.
    """
    start, end = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    return (start + torch.linspace(0, 1, count) * (end - start)) ** rho
