"""Settings of extra networks: LoRA, hypernetworks, textual inversions."""

from typing import ClassVar, Literal

from modules.settings.declare import ChoiceSource, Section, option

__all__ = ["ExtraNetworks"]


class ExtraNetworks(Section):
    """Cards of networks, what is added to every prompt, and what is written about it."""

    section_id: ClassVar[str] = "extra_networks"
    section_title: ClassVar[str] = "Extra Networks"

    extra_networks_show_hidden_directories: bool = option(
        True, "Show hidden directories", help="In the tree of folders: those whose names begin with a dot."
    )
    extra_networks_dir_button_function: bool = option(
        False,
        "Add a '/' to the beginning of directory buttons",
        help="A folder shows what is in it either way, whatever stands in the search box.",
    )
    extra_networks_hidden_models: Literal["Always", "When searched", "Never"] = option(
        "When searched",
        "Show cards for models in hidden directories",
        help="When searched: also while a hidden folder is chosen in the tree.",
    )
    extra_networks_default_multiplier: float = option(
        1.0,
        "Default multiplier for extra networks",
        help="Of networks that a card or a setting adds to the prompt.",
        ge=0,
        le=2,
        step=0.01,
        affects_pixels=True,
    )
    extra_networks_card_width: float = option(
        0, "Card width for Extra Networks", help="In pixels; 0: as wide as usual.", ge=0, le=1000
    )
    extra_networks_card_height: float = option(
        0, "Card height for Extra Networks", help="In pixels; 0: as high as usual.", ge=0, le=1000
    )
    extra_networks_card_text_scale: float = option(
        1.0, "Card text scale", help="1: as large as usual.", ge=0, le=2, step=0.01
    )
    extra_networks_card_show_desc: bool = option(True, "Show description on card")
    extra_networks_card_description_is_html: bool = option(
        False,
        "Treat card description as HTML",
        help="Of HTML only what forms text is kept: no pictures, scripts or styles.",
    )
    extra_networks_card_order_field: Literal["Path", "Name", "Date Created", "Date Modified"] = option(
        "Path", "Default order field for Extra Networks cards", needs_reload=True
    )
    extra_networks_card_order: Literal["Ascending", "Descending"] = option(
        "Ascending", "Default order for Extra Networks cards", needs_reload=True
    )
    extra_networks_tree_view_default_enabled: bool = option(
        False, "Enables the Extra Networks directory tree view by default", needs_reload=True
    )
    extra_networks_tree_view_default_width: float = option(
        180,
        "Default width for the Extra Networks directory tree view",
        help="In pixels.",
        ge=80,
        le=1000,
        needs_reload=True,
    )
    extra_networks_add_text_separator: str = option(
        " ",
        "Extra networks separator",
        help="What is put between the prompt and the text of a card.",
    )
    ui_extra_networks_tab_reorder: str = option(
        "",
        "Extra networks tab order",
        help="Parts of the tabs' names, with commas between them; those come first.",
        needs_reload=True,
    )
    textual_inversion_add_hashes_to_infotext: bool = option(True, "Add Textual Inversion hashes to infotext")
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
    lora_preferred_name: Literal["Alias from file", "Filename"] = option(
        "Alias from file",
        "When adding to prompt, refer to Lora by",
        help="An alias that several files have, or that another file is called, is not used.",
    )
    lora_magnitudes: Literal["Automatic", "Always", "Never"] = option(
        "Automatic",
        "Apply magnitudes of DoRA",
        help="Automatic: where the file says that it was trained with them.",
        affects_pixels=True,
    )
    lora_add_hashes_to_infotext: bool = option(True, "Add Lora hashes to infotext")
    lora_show_all: bool = option(
        False,
        "Always show all networks on the Lora page",
        help="Otherwise those are left out that are made for another version of Stable Diffusion than the "
        "checkpoint in use.",
    )
    lora_hide_unknown_for_versions: tuple[Literal["SD1", "SD2", "SDXL"], ...] = option(
        (), "Hide networks of unknown versions for model versions"
    )
