"""What checkpoints take in memory, found out by running their modules without memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch

from modules.checkpoints import (
    CheckpointFile,
    EightBits,
    Family,
    FileStamp,
    KeptWeights,
    ModelPlan,
)
from modules.generation.strips import SHARES
from modules.generation.vae_strips import bytes_in_strips
from modules.memory import DevicePolicy, ModelCosts, PartWeights, most_at_a_time, rehearse

__all__ = ["CostBook"]

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
        self._known: dict[tuple[tuple[str, FileStamp], str], ModelCosts] = {}
        self._families: dict[tuple[str, FileStamp], Family] = {}
        self._lock = threading.Lock()

    def costs(self, checkpoint: CheckpointFile, eight_bits: str = EightBits.NEVER) -> ModelCosts:
        """Of `checkpoint`, its weights kept as the setting `fp8_storage` says. Raises EaselError for a file
        that cannot be loaded.
        """
        key = (_version_of(checkpoint), eight_bits)
        with self._lock:
            if key not in self._known:
                with self._plan(checkpoint) as plan:
                    self._known[key] = _costs_of(plan, self._policy, eight_bits)
            return self._known[key]

    def family(self, checkpoint: CheckpointFile) -> Family:
        """Of `checkpoint`. Raises EaselError for a file that cannot be loaded."""
        key = _version_of(checkpoint)
        with self._lock:
            if key not in self._families:
                with self._plan(checkpoint) as plan:
                    self._families[key] = plan.family
            return self._families[key]


def _version_of(checkpoint: CheckpointFile) -> tuple[str, FileStamp]:
    return str(checkpoint.path), checkpoint.present_stamp


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


def _costs_of(plan: ModelPlan, policy: DevicePolicy, eight_bits: str) -> ModelCosts:
    """What the checkpoint of `plan` takes under `policy`; its modules have no memory, and stay without."""
    # The plan's modules are of float32.
    own, own_vae = policy.dtype.itemsize / 4, policy.vae_dtype.itemsize / 4
    unet, vae = plan.unet, plan.vae
    noisy = torch.empty(ROWS, unet.config.in_channels, SIDE, SIDE, device="meta")
    context = torch.empty(ROWS, TOKENS, unet.config.cross_attention_dim, device="meta")
    latent = torch.empty(1, vae.config.latent_channels, SIDE, SIDE, device="meta")
    pixels = torch.empty(1, 3, PIXELS, PIXELS, device="meta")
    told, kept = _beside(plan), KeptWeights.of(eight_bits, False, plan.family, policy)
    weights = plan.weights(policy, kept)
    step = rehearse(lambda: unet(noisy, 0, context, added_cond_kwargs=told, return_dict=False))
    decode = rehearse(lambda: vae.decode(latent, return_dict=False))
    encode = rehearse(lambda: vae.encode(pixels, return_dict=False))
    middle = rehearse(lambda: vae.decoder.mid_block(vae.decoder.conv_in(latent)))
    parts = PartWeights(
        texts=weights.texts,
        network=sum(weights.of_unet.values()),
        vae=weights.vae,
        blocks=most_at_a_time(unet, lambda part: sum(weights.of_unet[each] for each in part.parameters())),
    )
    return ModelCosts(
        weights=parts.texts + parts.network + parts.vae,
        step=step.peak * own / (ROWS * SIDE**2),
        # The matrix, and its softmax beside it.
        matrix=2 * step.matrix * policy.dtype.itemsize / (ROWS * SIDE**4),
        decode=decode.peak * own_vae / PIXELS**2,
        encode=encode.peak * own_vae / PIXELS**2,
        middle=middle.peak * own_vae / PIXELS**2,
        in_strips={
            share: (decoded * own_vae, encoded * own_vae)
            for share in SHARES
            for decoded, encoded in [bytes_in_strips(vae, share)]
        },
        on_heap=policy.device.type == "cpu",
        parts=parts,
    )
