"""What checkpoints take in memory, found out by running their modules without memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import nn

from modules.checkpoints import CheckpointFile, ModelPlan
from modules.memory import DevicePolicy, ModelCosts, rehearse

__all__ = ["CostBook", "bytes_of"]

SIDE = 64
"""Cells along a side of the latent that a model is rehearsed with."""
PIXELS = SIDE * 8
ROWS = 2
TOKENS = 77

PlanModel = Callable[[CheckpointFile], AbstractContextManager[ModelPlan]]


class CostBook:
    """What each checkpoint takes, found out once for each version of its file."""

    def __init__(self, plan: PlanModel, policy: DevicePolicy) -> None:
        self._plan, self._policy = plan, policy
        self._known: dict[tuple[str, int, int], ModelCosts] = {}
        self._lock = threading.Lock()

    def costs(self, checkpoint: CheckpointFile) -> ModelCosts:
        """Of `checkpoint`. Raises EaselError for a file that cannot be loaded."""
        facts = checkpoint.path.stat()
        key = (str(checkpoint.path), facts.st_mtime_ns, facts.st_size)
        with self._lock:
            if key not in self._known:
                with self._plan(checkpoint) as plan:
                    self._known[key] = _costs_of(plan, self._policy)
            return self._known[key]


def bytes_of(module: nn.Module) -> int:
    """Of the parameters of `module`, in their type."""
    return sum(parameter.nbytes for parameter in module.parameters())


def _beside(plan: ModelPlan) -> dict[str, torch.Tensor] | None:
    """What families with a vector are told besides, without memory."""
    config, count = plan.unet.config, len(plan.vector_numbers)
    if not count:
        return None
    pooled = config.projection_class_embeddings_input_dim - count * config.addition_time_embed_dim
    return {
        "text_embeds": torch.empty(ROWS, pooled, device="meta"),
        "time_ids": torch.empty(ROWS, count, device="meta"),
    }


def _costs_of(plan: ModelPlan, policy: DevicePolicy) -> ModelCosts:
    """What the checkpoint of `plan` takes under `policy`; its modules have no memory, and stay without."""
    reorders = policy.device.type == "cpu"
    # The plan's modules are of float32.
    own, own_vae = policy.dtype.itemsize / 4, policy.vae_dtype.itemsize / 4
    unet, vae = plan.unet, plan.vae
    noisy = torch.empty(ROWS, unet.config.in_channels, SIDE, SIDE, device="meta")
    context = torch.empty(ROWS, TOKENS, unet.config.cross_attention_dim, device="meta")
    latent = torch.empty(1, vae.config.latent_channels, SIDE, SIDE, device="meta")
    pixels = torch.empty(1, 3, PIXELS, PIXELS, device="meta")
    told = _beside(plan)
    step = rehearse(
        lambda: unet(noisy, 0, context, added_cond_kwargs=told, return_dict=False), reorders=reorders
    )
    decode = rehearse(lambda: vae.decode(latent, return_dict=False), reorders=reorders)
    encode = rehearse(lambda: vae.encode(pixels, return_dict=False), reorders=reorders)
    return ModelCosts(
        weights=round(
            (bytes_of(unet) + sum(map(bytes_of, plan.text_encoders))) * own + bytes_of(vae) * own_vae
        ),
        step=step.peak * own / (ROWS * SIDE**2),
        # The matrix, and its softmax beside it.
        matrix=2 * step.matrix * policy.dtype.itemsize / (ROWS * SIDE**4),
        decode=decode.peak * own_vae / PIXELS**2,
        encode=encode.peak * own_vae / PIXELS**2,
        on_heap=policy.device.type == "cpu",
    )
