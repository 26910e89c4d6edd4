"""What `generate` is told about pictures to start from: one order's pictures, or a folder of them."""

import argparse
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

__all__ = ["Redrawing", "add_redrawing_options", "redrawing_from"]

RESIZE_MODES = ("stretch", "crop", "fill", "latent")
CONTENTS = ("fill", "original", "latent-noise", "latent-nothing")
ALONE = (("batch_output", "--batch-output"), ("batch_mask", "--batch-mask"), ("png_info", "--png-info"),
         ("text_files", "--text-files"))  # fmt: skip


@dataclass(frozen=True)
class Redrawing:
    """Image to image as it was asked for: `init_image`, or `batch_input` for every picture of a folder."""

    init_image: tuple[Path, ...]
    mask: Path | None
    denoising_strength: float
    resize_mode: str
    mask_blur: int
    masked_content: str
    only_masked: bool
    padding: int
    invert_mask: bool
    scale_by: float | None
    batch_input: Path | None
    batch_output: Path | None
    batch_mask: Path | None
    png_info: bool
    text_files: bool

    def values(self) -> dict[str, Any]:
        """The request's fields but for its pictures and its size."""
        return {
            "denoising_strength": self.denoising_strength,
            "resize_mode": RESIZE_MODES.index(self.resize_mode),
            "mask_blur": self.mask_blur,
            "inpainting_fill": CONTENTS.index(self.masked_content),
            "inpaint_full_res": self.only_masked,
            "inpaint_full_res_padding": self.padding,
            "inpainting_mask_invert": int(self.invert_mask),
        }


def add_redrawing_options(parser: argparse.ArgumentParser) -> None:
    """Teach `parser` these options."""
    one = parser.add_argument_group("a picture to start from")
    add = one.add_argument
    add("--init-image", action="append", default=[], type=Path, metavar="FILE",
        help="Picture to redraw; repeated: one for each of the batch.")  # fmt: skip
    add("--denoising-strength", type=float, default=0.75, metavar="X",
        help="How much is drawn anew, 0 to 1 (0.75).")  # fmt: skip
    add("--resize-mode", choices=RESIZE_MODES, default=RESIZE_MODES[0],
        help="How it is brought to another size.")  # fmt: skip
    add("--scale-by", type=float, metavar="X", help="Size of the result by that of the picture (1).")
    add("--mask", type=Path, metavar="FILE", help="White is drawn anew.")
    add("--mask-blur", type=int, default=4, metavar="N", help="Softness of the mask's edge, pixels (4).")
    add("--masked-content", choices=CONTENTS, default="original", help="What stands there at the start.")
    add("--only-masked", action="store_true", help="Draw the masked part alone, at the whole size.")
    add("--padding", type=int, default=32, metavar="N", help="Pixels around it that are seen too (32).")
    add("--invert-mask", action="store_true", help="Black is drawn anew instead.")
    _add_folder_options(parser.add_argument_group("a folder of pictures to start from"))


def _add_folder_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--batch-input", type=Path, metavar="DIR",
        help="Redraw every picture in it. The same command again goes on where it stopped.")  # fmt: skip
    add("--batch-output", type=Path, metavar="DIR", help="Where results go, under the pictures' names.")
    add("--batch-mask", type=Path, metavar="DIR", help="One mask for all, or one for each with its name.")
    add("--png-info", action="store_true", help="Add parameters from the text in each picture.")
    add("--text-files", action="store_true", help="Add prompts from text files beside the pictures.")


def redrawing_from(found: argparse.Namespace, parser: argparse.ArgumentParser) -> Redrawing | None:
    """What was asked for; None: pictures from text. Ends the program for options that contradict."""
    values = {field.name: getattr(found, field.name) for field in fields(Redrawing)}
    redrawing = Redrawing(**{**values, "init_image": tuple(found.init_image)})
    if redrawing.batch_input is None:
        for name, option in ALONE:
            if getattr(redrawing, name):
                parser.error(f"{option} goes with --batch-input.")
    elif redrawing.init_image or redrawing.mask or found.output:
        parser.error("--batch-input goes without --init-image, --mask and --output.")
    elif not redrawing.batch_input.is_dir():
        parser.error(f"--batch-input: there is no folder {redrawing.batch_input}.")
    if redrawing.batch_input is None and not redrawing.init_image:
        if redrawing.mask or redrawing.scale_by:
            parser.error("--mask and --scale-by go with --init-image.")
        return None
    return redrawing
