"""The page: prompt editing, gallery, alternatives, the interface as a whole."""

from typing import ClassVar, Literal

from modules.settings.declare import ChoiceSource, Section, option

__all__ = ["Gallery", "PromptEditing", "UiAlternatives", "UserInterface"]


class PromptEditing(Section):
    """Keys in the prompt boxes, and their counters."""

    section_id: ClassVar[str] = "ui_prompt_editing"
    section_title: ClassVar[str] = "Prompt editing"

    keyedit_precision_attention: float = option(
        0.1, "Precision for (attention:1.1) when editing with Ctrl+up/down", ge=0.01, le=0.2, step=0.001
    )
    keyedit_precision_extra: float = option(
        0.05, "Precision for <extra networks:0.9> when editing with Ctrl+up/down", ge=0.01, le=0.2, step=0.001
    )
    keyedit_delimiters: str = option(
        r".,\/!?%^*;:{}=`~() ", "Word delimiters when editing the prompt with Ctrl+up/down"
    )
    keyedit_delimiters_whitespace: tuple[Literal["Tab", "Carriage Return", "Line Feed"], ...] = option(
        ("Tab", "Carriage Return", "Line Feed"), "Ctrl+up/down whitespace delimiters"
    )
    keyedit_move: bool = option(True, "Alt+left/right moves prompt elements")
    disable_token_counters: bool = option(False, "Disable prompt token counters", needs_reload=True)
    include_styles_into_token_counters: bool = option(True, "Count tokens of enabled styles")


class Gallery(Section):
    """Finished pictures on the page."""

    section_id: ClassVar[str] = "ui_gallery"
    section_title: ClassVar[str] = "Gallery"

    return_grid: bool = option(True, "Show grid in gallery")
    do_not_show_images: bool = option(False, "Do not show any images in gallery")
    js_modal_lightbox: bool = option(True, "Full page image viewer: enable")
    js_modal_lightbox_initially_zoomed: bool = option(
        True, "Full page image viewer: show images zoomed in by default"
    )
    gallery_height: str = option(
        "", "Gallery height", help="As in CSS: 768px, 20em, 60vh.", needs_reload=True
    )
    open_dir_button_choice: Literal["Output Root", "Subdirectory", "Subdirectory (even temp dir)"] = option(
        "Subdirectory", "What directory the folder button opens"
    )


class UiAlternatives(Section):
    """Other ways to lay out the page."""

    section_id: ClassVar[str] = "ui_alternatives"
    section_title: ClassVar[str] = "UI alternatives"

    dimensions_and_batch_together: bool = option(
        True, "Show Width/Height and Batch sliders in same row", needs_reload=True
    )
    sd_checkpoint_dropdown_use_short: bool = option(
        False, "Checkpoint dropdown: use filenames without paths", needs_reload=True
    )
    hires_fix_show_sampler: bool = option(
        False, "Hires fix: show hires checkpoint and sampler selection", needs_reload=True
    )
    hires_fix_show_prompts: bool = option(
        False, "Hires fix: show hires prompt and negative prompt", needs_reload=True
    )


class UserInterface(Section):
    """The page as a whole."""

    section_id: ClassVar[str] = "ui"
    section_title: ClassVar[str] = "User interface"

    quicksettings_list: tuple[str, ...] = option(
        ("sd_model_checkpoint",),
        "Quicksettings list",
        help="Settings that are shown at the top of the page.",
        source=ChoiceSource.OPTIONS,
        needs_reload=True,
    )
    ui_tab_order: tuple[str, ...] = option((), "UI tab order", source=ChoiceSource.TABS, needs_reload=True)
    hidden_tabs: tuple[str, ...] = option((), "Hidden UI tabs", source=ChoiceSource.TABS, needs_reload=True)
    show_progress_in_title: bool = option(True, "Show generation progress in window title")
    send_seed: bool = option(True, "Send seed when sending prompt or image to other interface")
    send_size: bool = option(True, "Send size when sending prompt or image to another interface")
