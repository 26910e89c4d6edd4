"""Pictures whose numbers became none (NaN, infinite) while they were drawn: what is to blame."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from modules.checkpoints import Model
from modules.errors import InvalidRequest
from modules.generation.autoencoder import LostNumbers
from modules.generation.run import Run

__all__ = ["blamed"]


def blamed(error: LostNumbers, run: Run, model: Model | None) -> InvalidRequest:
    """`error`, or what is known better: that the checkpoint itself holds numbers that are none.

    Its weights are looked through only now, so that drawing costs nothing more. Networks and embeddings were
    looked through when they were read: what is damaged in them is left out.
    """
    if model is not None and not run.network_tags and _is_broken_model(model.unet):
        return InvalidRequest(
            "sd_model_checkpoint",
            f"{error} Some of its weights are no numbers: the checkpoint file is damaged. Fetch it anew, or "
            "choose another.",
        )
    return error


def _is_broken_model(unet: nn.Module) -> bool:
    return any(not _is_whole(weight) for weight in unet.parameters())


def _is_whole(numbers: Tensor) -> bool:
    if not numbers.is_floating_point() or numbers.is_meta:
        return True
    return bool(torch.isfinite(numbers.detach().float()).all())
