"""Captions by a model of the transformers library that lies in a folder."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

from modules.errors import EaselError, InvalidRequest
from modules.interrogation.config_sizes import check_sizes
from modules.memory import DevicePolicy
from modules.settings import Options

log = logging.getLogger(__name__)

__all__ = ["Captioner", "load_captioner"]

SAFE: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
"""No network, and no code out of the folder."""
TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model", "spiece.model")


@dataclass(frozen=True, slots=True)
class Captioner:
    """A loaded model with what prepares pictures for it and what spells its answers."""

    processor: Any
    tokenizer: Any
    model: Any

    @torch.inference_mode()
    def caption(self, image: Image.Image, options: Options) -> str:
        """A sentence for an RGB picture, as long as the settings of BLIP want it, in tokens.

        Raises InvalidRequest when the shortest length is above the longest.
        """
        shortest, longest = options.interrogate_clip_min_length, options.interrogate_clip_max_length
        if shortest > longest:
            raise InvalidRequest(
                "interrogate_clip_min_length",
                f"interrogate_clip_min_length is {shortest}, more than interrogate_clip_max_length, which is "
                f"{longest}. Change one of them.",
            )
        pixels = self.processor(images=image, return_tensors="pt")["pixel_values"]
        answer = self.model.generate(
            pixel_values=pixels.to(self.model.device, self.model.dtype),
            do_sample=False,
            num_beams=options.interrogate_clip_num_beams,
            min_new_tokens=shortest,
            max_new_tokens=longest,
        )
        return str(self.tokenizer.decode(answer[0], skip_special_tokens=True)).strip()


def load_captioner(folder: Path, policy: DevicePolicy) -> Captioner:
    """The model in `folder`, from safetensors alone, on the device of `policy`.

    Raises EaselError with the reason it cannot be loaded.
    """
    try:
        # Without any of them the library makes an empty one, which spells nothing.
        if not any((folder / name).is_file() for name in TOKENIZERS):
            raise ValueError(f"none of {', '.join(TOKENIZERS)} is there.")
        check_sizes(folder)
        return Captioner(
            AutoImageProcessor.from_pretrained(folder, **SAFE),
            AutoTokenizer.from_pretrained(folder, **SAFE),
            AutoModelForImageTextToText.from_pretrained(
                folder, use_safetensors=True, dtype=policy.dtype, **SAFE
            )
            .to(policy.device)
            .eval(),
        )
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        # The tokenizer's library raises Exception itself, transformers a dozen kinds.
        log.debug("%s", folder, exc_info=True)
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise EaselError(
            f"The captioning model in {folder} cannot be loaded: {reason} "
            "It needs config.json, model.safetensors, preprocessor_config.json and its tokenizer's files."
        ) from error
