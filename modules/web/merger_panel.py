"""The form of a merge: which checkpoints, what is computed from them, how the result is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gradio as gr

from modules.house import House
from modules.merging import ConfigSource, FileFormat, Interpolation
from modules.web.form import Form
from modules.web.widgets import icon_button, input_fold, plain_fold, scripts_place

__all__ = ["Chooser", "checkpoint_chooser", "merge_panel", "name_field", "vae_chooser"]

NO_VAE = "None"
MODELS = (("primary", "Primary", "A"), ("secondary", "Secondary", "B"), ("tertiary", "Tertiary", "C"))
CONFIGS = (
    ("A, B or C", ConfigSource.FIRST_FOUND),
    ("B", ConfigSource.B),
    ("C", ConfigSource.C),
    ("Don't", ConfigSource.NONE),
)
EXAMPLE = "A*0.6 + B*0.4 + (C-D)*0.5"


@dataclass(frozen=True)
class Chooser:
    """A menu of files, the button that looks for new ones, and what the menu offers by now."""

    menu: gr.Dropdown
    refresh: gr.Button
    offers: Callable[[], Sequence[str | tuple[str, str]]]


def merge_panel(form: Form, house: House) -> tuple[list[Chooser], gr.Button]:
    """Lay the form out; gives its menus of files, and the button that reads metadata."""
    choosers = _models(form, house)
    _method(form)
    with input_fold(
        "Weights of single blocks",
        form.element_id("blocks"),
        form.element_id("blocks_summary"),
        "Give blocks of the UNet and the text encoder multipliers of their own",
    ) as uses_blocks:
        scripts_place(form.element_id("block_weights"))
    form.adopt("uses_blocks", uses_blocks)
    with input_fold(
        "Bake in LoRAs",
        form.element_id("loras"),
        form.element_id("loras_summary"),
        "Compute LoRAs into the result",
    ) as uses_loras:
        scripts_place(form.element_id("lora_rows"))
    form.adopt("uses_loras", uses_loras)
    name_field(form)
    choosers.append(_how_it_is_written(form, house))
    read_metadata = _metadata(form)
    with gr.Row(elem_classes=["merger-actions"]):
        merge = gr.Button("Merge", elem_id="modelmerger_merge", variant="primary", scale=3)
        dry_run = gr.Button("Dry run", elem_id="modelmerger_dry_run", min_width=120)
    merge.click(fn=None, js="() => { startMerging('modelmerger'); }")
    dry_run.click(fn=None, js="() => { planMerging('modelmerger'); }")
    return choosers, read_metadata


def checkpoint_chooser(form: Form, house: House, field: str, label: str, name: str, refresh: str) -> Chooser:
    """A menu of checkpoints; `name` and `refresh` are the ids of menu and button."""

    def offers() -> list[tuple[str, str]]:
        # By the name, which stays when the hash in the title becomes known.
        is_short = house.store.options.sd_checkpoint_dropdown_use_short
        files = house.engine.shelf.list()
        return [(file.short_title if is_short else file.title, file.name) for file in files]

    menu = form.menu(field, label, name, offers(), None, min_width=160)
    return Chooser(menu, icon_button("Look for new checkpoints", "refresh", refresh), offers)


def vae_chooser(form: Form, house: House, label: str) -> Chooser:
    """A menu of VAE files."""

    def offers() -> list[str]:
        return [NO_VAE, *(file.name for file in house.engine.vae_shelf.list())]

    with gr.Row(elem_classes=["merger-file"]):
        menu = form.menu("bake_in_vae", label, "bake_in_vae", offers(), NO_VAE, min_width=160)
        button = icon_button("Look for new VAEs", "refresh", form.element_id("refresh_bake_in_vae"))
    return Chooser(menu, button, offers)


def name_field(form: Form) -> None:
    """The result's name, and whether it may take the place of another file."""
    with gr.Row(elem_classes=["form-row", "merger-beside"]):
        form.text(
            "custom_name",
            "Custom Name (Optional)",
            "custom_name",
            max_lines=1,
            placeholder="made up from the models",
            min_width=200,
        )
        form.tick("overwrite", "Replace a file of this name", "overwrite", container=False, min_width=200)


def _models(form: Form, house: House) -> list[Chooser]:
    choosers = []
    for field, ordinal, letter in MODELS:
        with gr.Row(elem_id=form.element_id(f"{field}_row"), elem_classes=["merger-file"]):
            label, name = f"{ordinal} model ({letter})", f"{field}_model_name"
            chooser = checkpoint_chooser(form, house, field, label, name, f"refresh_checkpoint_{letter}")
            choosers.append(chooser)
            if letter == "A":
                swap = icon_button("Swap A and B", "swap", form.element_id("swap"))
    first, second = choosers[0].menu, choosers[1].menu
    swap.click(fn=None, inputs=[first, second], outputs=[first, second], js="(a, b) => [b, a]")
    scripts_place(form.element_id("more_models"))
    return choosers


def _method(form: Form) -> None:
    methods = [(method.value, method.value) for method in Interpolation]
    form.choice(
        "interp_method",
        "Interpolation Method",
        form.element_id("interp_method"),
        methods,
        Interpolation.WEIGHTED_SUM.value,
        elem_classes=["tab-like"],
    )
    gr.HTML("<p></p>", elem_id=form.element_id("interp_description"))
    form.text("formula", "Formula", "formula", max_lines=3, placeholder=EXAMPLE)
    label = "Multiplier (M) - set to 0 to get model A"
    form.slider("multiplier", label, "interp_amount", 0, 1, 0.05, 0.3)


def _how_it_is_written(form: Form, house: House) -> Chooser:
    with gr.Row(elem_classes=["form-row", "merger-beside"]):
        form.choice(
            "checkpoint_format",
            "Checkpoint format",
            form.element_id("checkpoint_format"),
            [(kind.value, kind.value) for kind in reversed(FileFormat)],
            FileFormat.SAFETENSORS.value,
            min_width=180,
        )
        form.tick("save_as_half", "Save as float16", "save_as_half", container=False, min_width=140)
    with gr.Row(elem_classes=["form-row"]):
        form.choice(
            "config_source",
            "Copy config from",
            form.element_id("config_method"),
            [(shown, int(source)) for shown, source in CONFIGS],
            int(ConfigSource.FIRST_FOUND),
            min_width=180,
        )
        chooser = vae_chooser(form, house, "Bake in VAE")
    form.text(
        "discard_weights",
        "Discard weights with matching name",
        "discard_weights",
        max_lines=1,
        placeholder="a regular expression, such as ^model_ema",
    )
    return chooser


def _metadata(form: Form) -> gr.Button:
    with plain_fold("Metadata", form.element_id("metadata")):
        for field, label, name in (
            ("save_metadata", "Save metadata", "save_metadata"),
            ("add_merge_recipe", "Add merge recipe metadata", "add_recipe"),
            ("copy_metadata_fields", "Copy metadata from merged models", "copy_metadata"),
        ):
            form.tick(field, label, name, value=True, container=False)
        form.text(
            "metadata_json", "Metadata in JSON format", "metadata_json", value="{}", lines=3, max_lines=12
        )
        return gr.Button(
            "Read metadata from selected checkpoints", elem_id=form.element_id("read_metadata"), size="sm"
        )
