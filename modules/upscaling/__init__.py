"""Making pictures larger: on pixels (`UPSCALERS`) and on the latent (`LATENT_UPSCALERS`)."""

from modules.upscaling.extras import Enlargement, Extras, enlarge_picture, enlarged_size, refuse_too_much
from modules.upscaling.latent import LATENT_UPSCALERS, LatentUpscaler
from modules.upscaling.plain import UPSCALERS, Upscaler, upscale_picture
from modules.upscaling.request import ExtrasRequest

__all__ = [
    "LATENT_UPSCALERS",
    "UPSCALERS",
    "Enlargement",
    "Extras",
    "ExtrasRequest",
    "LatentUpscaler",
    "Upscaler",
    "enlarge_picture",
    "enlarged_size",
    "refuse_too_much",
    "upscale_picture",
]
