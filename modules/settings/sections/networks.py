"""Settings of extra networks: LoRA, hypernetworks, textual inversions."""

from typing import ClassVar, Literal

from modules.settings.declare import ChoiceSource, Section, option

__all__ = ["ExtraNetworks"]


class ExtraNetworks(Section):
    """What is added to every prompt, and what is written about it."""

    section_id: ClassVar[str] = "extra_networks"
    section_title: ClassVar[str] = "Extra Networks"

    sd_hypernetwork: str | None = option(
        "None",
        "Add hypernetwork to prompt",
        help="Its tag is put at the end of every prompt that does not name it.",
        source=ChoiceSource.HYPERNETWORKS,
        affects_pixels=True,
    )
    sd_hypernetwork_strength: float = option(
        1.0,
        "Hypernetwork strength",
        help="Of the hypernetwork above.",
        ge=0,
        le=1,
        step=0.001,
        affects_pixels=True,
    )
    sd_lora: str | None = option(
        "None",
        "Add network to prompt",
        help="Its tag is put at the end of every prompt that does not name it.",
        source=ChoiceSource.NETWORKS,
        affects_pixels=True,
    )
    extra_networks_default_multiplier: float = option(
        1.0,
        "Default multiplier for extra networks",
        help="Of networks that are added to the prompt by a setting.",
        ge=0,
        le=2,
        step=0.01,
        affects_pixels=True,
    )
    lora_magnitudes: Literal["Automatic", "Always", "Never"] = option(
        "Automatic",
        "Apply magnitudes of DoRA",
        help="Automatic: where the file says that it was trained with them.",
        affects_pixels=True,
    )
    lora_add_hashes_to_infotext: bool = option(True, "Add Lora hashes to infotext")
    textual_inversion_add_hashes_to_infotext: bool = option(True, "Add Textual Inversion hashes to infotext")
