"""For which version of Stable Diffusion a file is made, told from what it says or from its shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from modules.checkpoints import Family

__all__ = [
    "ModelVersion",
    "version_of_family",
    "version_of_metadata",
    "version_of_shapes",
    "version_of_width",
]


class ModelVersion(StrEnum):
    """A version as the field's files beside networks write it."""

    SD1 = "SD1"
    SD2 = "SD2"
    SDXL = "SDXL"
    SD3 = "SD3"
    UNKNOWN = "Unknown"

    @classmethod
    def named(cls, text: str) -> ModelVersion:
        """The version that `text` is, UNKNOWN for any other text."""
        return cls(text) if text in set(cls) else cls.UNKNOWN


FAMILIES = {
    Family.SD1: ModelVersion.SD1,
    Family.SD2: ModelVersion.SD2,
    Family.SDXL: ModelVersion.SDXL,
    Family.SDXL_REFINER: ModelVersion.SDXL,
}

STARTS: tuple[tuple[str, tuple[tuple[str, ModelVersion], ...]], ...] = (
    (
        "ss_base_model_version",
        (
            ("sdxl_", ModelVersion.SDXL),
            ("sd_v1", ModelVersion.SD1),
            ("sd_v2", ModelVersion.SD2),
            ("sd3", ModelVersion.SD3),
        ),
    ),
    (
        "modelspec.architecture",
        (
            ("stable-diffusion-xl", ModelVersion.SDXL),
            ("stable-diffusion-v1", ModelVersion.SD1),
            ("stable-diffusion-v2", ModelVersion.SD2),
            ("stable-diffusion-3", ModelVersion.SD3),
        ),
    ),
)
"""Keys of the metadata, and how their texts begin: kohya-ss's own, and https://github.com/Stability-AI/ModelSpec."""

WIDTHS = {
    768: ModelVersion.SD1,
    1024: ModelVersion.SD2,
    1280: ModelVersion.SDXL,
    2048: ModelVersion.SDXL,
}
"""Numbers of a vector that comes from the text encoders, of all of them together, or of the larger alone."""

TEXT_KEYS = ("attn2_to_k", "attn2.to_k")
NARROW_ENDS = ("lora_down.weight", "lora_A.weight", "lora.down.weight", "hada_w1_b")
"""Of the matrices of a network whose second axis is as wide as what its module reads."""


def version_of_family(family: Family | None) -> ModelVersion:
    """The version of a checkpoint's family."""
    return ModelVersion.UNKNOWN if family is None else FAMILIES[family]


def version_of_metadata(metadata: Mapping[str, str]) -> ModelVersion:
    """What a network's metadata say: the base version, else the specification's architecture, else whether it
    was trained on version 2. kohya-ss's older metadata name no base; they are of version 1.
    """
    for key, starts in STARTS:
        if text := metadata.get(key, ""):
            return next(
                (version for start, version in starts if text.startswith(start)), ModelVersion.UNKNOWN
            )
    if metadata.get("ss_v2") == "True":
        return ModelVersion.SD2
    return ModelVersion.SD1 if "ss_v2" in metadata else ModelVersion.UNKNOWN


def version_of_shapes(shapes: Iterable[tuple[str, tuple[int, ...]]]) -> ModelVersion:
    """The version of a LoRA or LoHa, by how wide the text is that its cross-attention reads. `shapes`: names
    and shapes of its tensors.
    """
    for name, shape in shapes:
        if any(key in name for key in TEXT_KEYS) and name.endswith(NARROW_ENDS) and len(shape) > 1:
            return version_of_width(shape[1])
    return ModelVersion.UNKNOWN


def version_of_width(width: int) -> ModelVersion:
    """The version whose text encoders make vectors of `width` numbers."""
    return WIDTHS.get(width, ModelVersion.UNKNOWN)
