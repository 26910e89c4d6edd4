"""The form of a conversion: another format, other numbers, without what drawing does not need."""

import gradio as gr

from modules.house import House
from modules.merging import Ema, FileFormat, Precision
from modules.web.form import Form
from modules.web.merger_panel import Chooser, checkpoint_chooser, name_field, vae_chooser

__all__ = ["conversion_panel"]

EMA = (
    ("Keep as they are", Ema.KEEP),
    ("Leave out (pruned)", Ema.DROP),
    ("Use instead of the weights", Ema.USE),
)


def conversion_panel(form: Form, house: House) -> list[Chooser]:
    """Lay the form out; gives its menus of files."""
    with gr.Row(elem_classes=["merger-file"]):
        refresh = form.element_id("refresh_checkpoint")
        checkpoint = checkpoint_chooser(form, house, "checkpoint", "Checkpoint", "checkpoint", refresh)
    with gr.Row(elem_classes=["form-row"]):
        form.choice(
            "checkpoint_format",
            "Format",
            form.element_id("checkpoint_format"),
            [(kind.value, kind.value) for kind in reversed(FileFormat)],
            FileFormat.SAFETENSORS.value,
            min_width=180,
        )
        precisions = [(precision.value, precision.value) for precision in Precision]
        form.menu("save_as", "Numbers", "save_as", precisions, Precision.KEEP.value, min_width=160)
    form.choice(
        "ema",
        "Running averages (EMA) of the training",
        form.element_id("ema"),
        [(shown, kind.value) for shown, kind in EMA],
        Ema.KEEP.value,
    )
    vae = vae_chooser(form, house, "Bake in VAE")
    with gr.Row(elem_classes=["form-row"]):
        form.tick("drop_vae", "Leave the VAE out", "drop_vae", container=False, min_width=160)
        form.tick("copy_config", "Copy the configuration too", "copy_config", value=True, container=False,
                  min_width=160)  # fmt: skip
    form.text(
        "discard_weights",
        "Discard weights with matching name",
        "discard_weights",
        max_lines=1,
        placeholder="a regular expression",
    )
    name_field(form)
    with gr.Row(elem_classes=["merger-actions"]):
        convert = gr.Button("Convert", elem_id=form.element_id("convert"), variant="primary", scale=3)
        dry_run = gr.Button("Dry run", elem_id=form.element_id("dry_run"), min_width=120)
    convert.click(fn=None, js=f"() => {{ startMerging({form.tab!r}); }}")
    dry_run.click(fn=None, js=f"() => {{ planMerging({form.tab!r}); }}")
    return [checkpoint, vae]
