"""What a checkpoint's network predicts, the noise or v: as the file says, else found out by a trial."""

from __future__ import annotations

import torch
from diffusers import UNet2DConditionModel

from modules.checkpoints.ldm_config import LdmConfig
from modules.checkpoints.opened import OpenedCheckpoint
from modules.sampling import Prediction

__all__ = ["told_prediction", "tried_prediction"]

V_KEY, ZERO_SNR_KEY = "v_pred", "ztsnr"
"""Empty tensors that trainers put in to say what the model is."""
METADATA_KEY = "modelspec.prediction_type"

TRIAL_SIDE = 32
"""Latent cells."""
LAST_TIME = 999


def told_prediction(opened: OpenedCheckpoint, config: LdmConfig) -> tuple[Prediction | None, bool]:
    """What the network predicts, None where nothing tells, and whether the last noise level is pure noise."""
    if V_KEY in opened.sources:
        prediction: Prediction | None = Prediction.V
    elif config.prediction is not None:
        prediction = config.prediction
    else:
        prediction = _from_metadata(opened.metadata.get(METADATA_KEY, ""))
    return prediction, config.zero_terminal_snr or ZERO_SNR_KEY in opened.sources


def _from_metadata(text: str) -> Prediction | None:
    return {"v": Prediction.V, "epsilon": Prediction.EPSILON}.get(text)


@torch.inference_mode()
def tried_prediction(unet: UNet2DConditionModel) -> Prediction:
    """Found out by showing the network noise alone at the last time.

    Who predicts noise answers with what it sees; v = sqrt(a) noise - sqrt(1 - a) clean has next to nothing
    of it. So the share of the input in the output is near 1 or near 0.
    """
    generator = torch.Generator().manual_seed(0)
    shape = (1, unet.config.in_channels, TRIAL_SIDE, TRIAL_SIDE)
    noise = torch.randn(shape, generator=generator).to(unet.device, unet.dtype)
    context = noise.new_zeros(1, 77, unet.config.cross_attention_dim)
    answer = unet(noise, torch.tensor([LAST_TIME]).to(noise), context, return_dict=False)[0].float()
    seen = noise[:, : answer.shape[1]].float()
    share = (answer * seen).sum() / seen.square().sum()
    return Prediction.EPSILON if share > 0.5 else Prediction.V
