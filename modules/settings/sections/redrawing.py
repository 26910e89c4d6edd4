"""Settings of image to image and inpainting."""

from typing import ClassVar

from modules.settings.checks import Colour
from modules.settings.declare import Section, option

__all__ = ["Img2Img"]


class Img2Img(Section):
    """How a picture is drawn anew."""

    section_id: ClassVar[str] = "img2img"
    section_title: ClassVar[str] = "img2img"
    affects_pixels: ClassVar[bool] = True

    initial_noise_multiplier: float = option(
        1.0, "Noise multiplier for img2img", help="Scale of the noise at the start.", ge=0, le=1.5, step=0.001
    )
    img2img_extra_noise: float = option(
        0.0,
        "Extra noise multiplier for img2img and hires fix",
        help="Noise added to the start beyond what the strength asks for; 0: none.",
        ge=0,
        le=1,
        step=0.01,
    )
    img2img_color_correction: bool = option(
        False, "Apply color correction to img2img results to match original colors"
    )
    img2img_fix_steps: bool = option(
        False,
        "With img2img, do exactly the amount of steps the slider specifies",
        help="Otherwise the denoising strength's share of them.",
    )
    img2img_background_color: Colour = option(
        "#ffffff", "With img2img, fill transparent parts of the input image with this color"
    )
    overlay_inpaint: bool = option(
        True,
        "Overlay original for inpaint",
        help="What is not masked comes back as it was. Without it the result is shown as it was drawn, of "
        '"only masked" that part alone.',
    )
    upscaler_for_img2img: str | None = option(
        None,
        "Upscaler for img2img",
        help="Enlarges a picture that is smaller than asked for; None: Lanczos.",
    )
