"""What `merge` and `convert` are told on the command line."""

import argparse
from dataclasses import dataclass
from typing import Any

from modules.flags import FlagParser, add_flags

__all__ = ["Conversion", "Merging", "conversion_from", "convert_parser", "merge_parser", "merging_from"]

METHODS = {"none": "No interpolation", "sum": "Weighted sum", "difference": "Add difference"}
BY_COUNT = {1: "none", 2: "sum", 3: "difference"}
FIELDS = ("primary", "secondary", "tertiary")
FURTHER = "DEFGHIJKLMNOPQRSTUVWXYZ"
CONFIGS = {"first": 0, "B": 1, "C": 2, "none": 3}
PRECISIONS = ("float16", "bfloat16", "float32")


@dataclass(frozen=True)
class Merging:
    """A merge as it was asked for: models in the order of their letters, the request's further fields."""

    models: tuple[str, ...]
    values: dict[str, Any]
    blocks: str
    dry_run: bool

    def request(self) -> dict[str, Any]:
        """The request but for the multipliers of blocks; models by the texts that were given."""
        further = self.models[len(FIELDS) :]
        named = dict(zip(FIELDS, self.models, strict=False))
        return {**self.values, **named, "models": dict(zip(FURTHER, further, strict=False))}


@dataclass(frozen=True)
class Conversion:
    """A conversion as it was asked for: the model, and the request's further fields."""

    model: str
    values: dict[str, Any]
    dry_run: bool


def merge_parser() -> FlagParser:
    """The parser of the words behind `merge`."""
    parser = FlagParser("webui.sh merge", "Merge checkpoints into a new one, or bake LoRAs into one.")
    parser.usage = "webui.sh merge A [B [C ...]] [options] [flags]"
    parser.epilog = (
        "A, B, C are names of checkpoints, or files. One model stays as it is, of two the weighted sum is\n"
        "taken, with three the difference B - C is added to A; a formula takes any number: A, B, C, D ...\n"
        "The server's flags work here too; `webui.sh --help` lists them."
    )
    parser.add_argument("models", nargs="+", metavar="MODEL", help="The models, A first.")
    add = parser.add_argument
    add("-m", "--multiplier", type=float, default=0.3, metavar="X", help="m: how much of B (0.3).")
    add("--method", choices=METHODS, help="What is computed, instead of what the number of models says.")
    add("--formula", default="", metavar="TEXT", help="Such as A*0.6 + B*0.4 + (C-D)*m.")
    add("--blocks", default="", metavar="TEXT",
        help="Multipliers of single blocks: IN04=0.5,BASE=0, or a row of 26 numbers (XL: 20).")  # fmt: skip
    add("--lora", action="append", default=[], metavar="NAME[:TEXT[:UNET]]",
        help="LoRA to bake in, with its strengths; may be repeated.")  # fmt: skip
    add("--yaml", choices=CONFIGS, default="first", help="Whose .yaml is copied (the first that has one).")
    add("--no-recipe", action="store_true", help="Do not write the recipe into the metadata.")
    add("--no-copied-metadata", action="store_true", help="Do not copy the models' own metadata.")
    add("--metadata", default="{}", metavar="JSON", help="Further metadata.")
    _add_common(parser)
    return parser


def convert_parser() -> FlagParser:
    """The parser of the words behind `convert`."""
    parser = FlagParser("webui.sh convert", "Write a checkpoint in another format or number type.")
    parser.usage = "webui.sh convert MODEL [options] [flags]"
    parser.epilog = "The server's flags work here too; `webui.sh --help` lists them."
    parser.add_argument("model", metavar="MODEL", help="The checkpoint: its name, or a file.")
    add = parser.add_argument
    add("--ema", choices=("keep", "drop", "use"), default="keep",
        help="Running averages: keep, drop, or use in place of the weights (keep).")  # fmt: skip
    add("--no-vae", action="store_true", help="Leave the VAE out.")
    add("--no-yaml", action="store_true", help="Do not copy the .yaml beside it.")
    _add_common(parser)
    return parser


def _add_common(parser: FlagParser) -> None:
    add = parser.add_argument
    add("-o", "--name", default="", metavar="NAME", help="Name of the result (made up).")
    add("--format", choices=("safetensors", "ckpt"), default="safetensors", help="Its format (safetensors).")
    add("--save-as", choices=PRECISIONS, help="Its number type (the models').")
    add("--vae", metavar="NAME", help="VAE to bake in.")
    add("--discard", default="", metavar="REGEX", help="Leave out tensors whose names this finds.")
    add("--overwrite", action="store_true", help="Replace a file of that name.")
    add("--dry-run", action="store_true", help="Only say what the result would be.")
    add_flags(parser, hidden=True)


def merging_from(found: argparse.Namespace, parser: FlagParser) -> Merging:
    """The merge that was asked for. Ends the program for what cannot be."""
    most = len(FIELDS) + len(FURTHER)
    if len(found.models) > most:
        parser.error(f"At most {most} models can be merged at once")
    if found.formula and found.method:
        parser.error("Either --method or --formula, not both")
    if not found.formula and not found.method and len(found.models) not in BY_COUNT:
        parser.error("More than three models need a --formula, such as A*0.4 + B*0.2 + C*0.2 + D*0.2")
    method = METHODS[found.method or BY_COUNT.get(len(found.models), "none")]
    values = {
        **_common(found),
        "interp_method": "Formula" if found.formula else method,
        "formula": found.formula,
        "multiplier": found.multiplier,
        "loras": [_lora(text, parser) for text in found.lora],
        "config_source": CONFIGS[found.yaml],
        "add_merge_recipe": not found.no_recipe,
        "copy_metadata_fields": not found.no_copied_metadata,
        "metadata_json": found.metadata,
    }
    return Merging(tuple(found.models), values, found.blocks, found.dry_run)


def conversion_from(found: argparse.Namespace) -> Conversion:
    """The conversion that was asked for."""
    own = {"ema": found.ema, "drop_vae": found.no_vae, "copy_config": not found.no_yaml}
    return Conversion(found.model, _common(found) | own, found.dry_run)


def _common(found: argparse.Namespace) -> dict[str, Any]:
    return {
        "custom_name": found.name,
        "checkpoint_format": found.format,
        "bake_in_vae": found.vae,
        "discard_weights": found.discard,
        "overwrite": found.overwrite,
        **({"save_as": found.save_as} if found.save_as else {}),
    }


def _lora(text: str, parser: FlagParser) -> dict[str, Any]:
    """As in prompts, a single strength is that of the text encoders and of the UNet."""
    name, *strengths = text.split(":")
    try:
        numbers = [float(word) for word in strengths]
    except ValueError:
        numbers = [0.0] * 3
    if not name or len(numbers) > 2:
        parser.error(f"--lora {text} is not understood; write NAME, NAME:0.8 or NAME:0.5:0.8")
    return {"name": name} | dict(zip(("text", "unet"), (*numbers, *numbers[-1:]), strict=False))
