"""Making pictures larger: on pixels (`UPSCALERS`) and on the latent (`LATENT_UPSCALERS`)."""

from modules.upscaling.extras import Enlargement, Extras, enlarge_picture, enlarged_size
from modules.upscaling.latent import LATENT_UPSCALERS, LatentUpscaler
from modules.upscaling.plain import UPSCALERS, Upscaler, upscale_picture

__all__ = [
    "LATENT_UPSCALERS",
    "UPSCALERS",
    "Enlargement",
    "Extras",
    "LatentUpscaler",
    "Upscaler",
    "enlarge_picture",
    "enlarged_size",
    "upscale_picture",
]
