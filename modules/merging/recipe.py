"""The metadata of a result: what its parents say of themselves, the recipe, and the parents' hashes.

`sd_merge_recipe` and `sd_merge_models` are the names and forms of the field's programs; what those do not
know (formulas, blocks, networks) stands in a recipe of the type "easel".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from modules.errors import InvalidRequest
from modules.foreign_json import JsonNotRead, parse_json
from modules.merging.matching import Kind
from modules.merging.parents import Index
from modules.merging.request import ConvertRequest, Interpolation, MergeRequest, Precision

__all__ = ["Hashes", "MetadataOf", "conversion_metadata", "merge_metadata"]

Hashes = Mapping[str, str | None]
"""sha256 of the parents, by the names that the plan gives them; None with --no-hashing."""
MetadataOf = Callable[[Hashes], dict[str, str]]

RECIPE, MODELS = "sd_merge_recipe", "sd_merge_models"
CONVERSION = "easel_converted_from"
VAE = "easel_baked_vae"
FORMAT = {"format": "pt"}
NEEDED = ("modelspec.prediction_type",)
"""What drawing needs to know, and is therefore always kept."""
OUTDATED = ("modelspec.hash_sha256",)
"""What was said of other bytes."""


def merge_metadata(
    request: MergeRequest,
    models: Mapping[str, Index],
    networks: Mapping[str, Index],
    vae: Index | None,
    kind: Kind | None,
) -> MetadataOf:
    """The metadata of a merge. `models` by letter, the first being the one whose tensors the result has;
    `networks` by the names they have among the parents.

    Raises InvalidRequest for `metadata_json`.
    """
    given = _given(request.metadata_json)
    base = next(iter(models.values()))

    def metadata(hashes: Hashes) -> dict[str, str]:
        if not request.save_metadata:
            return _needed(base) | FORMAT
        copied: dict[str, str] = {}
        for index in models.values() if request.copy_metadata_fields else ():
            copied |= index.metadata
        result = _without_outdated(copied) | _needed(base) | given | FORMAT
        if not request.add_merge_recipe:
            return result
        recipe = _recipe(request, models, networks, kind, hashes)
        parents = _parents({**models, **networks}, hashes)
        result |= {RECIPE: json.dumps(recipe), MODELS: json.dumps(parents)}
        if vae is not None:
            result[VAE] = json.dumps({"name": vae.parent.name, "sha256": hashes["vae"]})
        return result

    return metadata


def conversion_metadata(request: ConvertRequest, model: Index, vae: Index | None) -> MetadataOf:
    """The checkpoint's own metadata, and what it was converted from. The parent is called "A"."""

    def metadata(hashes: Hashes) -> dict[str, str]:
        source = {
            "name": model.parent.name,
            "sha256": hashes.get("A"),
            "save_as": str(request.save_as),
            "ema": str(request.ema),
        }
        result = _without_outdated(model.metadata) | FORMAT | {CONVERSION: json.dumps(source)}
        if vae is not None:
            result[VAE] = json.dumps({"name": vae.parent.name, "sha256": hashes.get("vae")})
        return result

    return metadata


def _recipe(
    request: MergeRequest,
    models: Mapping[str, Index],
    networks: Mapping[str, Index],
    kind: Kind | None,
    hashes: Hashes,
) -> dict[str, Any]:
    recipe = {
        "type": "webui",
        "primary_model_hash": hashes.get("A"),
        "secondary_model_hash": hashes.get("B"),
        "tertiary_model_hash": hashes.get("C"),
        "interp_method": str(request.interp_method),
        "multiplier": request.multiplier,
        "save_as_half": request.save_as is Precision.FLOAT16,
        "custom_name": request.custom_name,
        "config_source": int(request.config_source),
        "bake_in_vae": request.bake_in_vae or "None",
        "discard_weights": request.discard_weights,
        "is_inpainting": kind is Kind.INPAINTING,
        "is_instruct_pix2pix": kind is Kind.PIX2PIX,
    }
    own: dict[str, Any] = {}
    if request.interp_method is Interpolation.FORMULA:
        own["formula"] = request.formula
        own["models"] = {letter: hashes[letter] for letter in models}
    if request.block_weights:
        own["block_weights"] = dict(request.block_weights)
    if networks:
        own["loras"] = [
            {"name": lora.name, "sha256": sha256, "text": lora.text, "unet": lora.unet}
            for lora, sha256 in zip(request.loras, (hashes[name] for name in networks), strict=True)
        ]
    if request.save_as not in (Precision.KEEP, Precision.FLOAT16):
        own["save_as"] = str(request.save_as)
    return {**recipe, **own, "type": "easel"} if own else recipe


def _parents(indexes: Mapping[str, Index], hashes: Hashes) -> dict[str, Any]:
    """By sha256 (by name with --no-hashing) each parent, and the parents that its own recipe names."""
    parents: dict[str, Any] = {}
    for name, index in indexes.items():
        parents[hashes[name] or index.parent.name] = {
            "name": index.parent.name,
            "legacy_hash": index.parent.file.old_hash,
            RECIPE: _object(index.metadata.get(RECIPE)) or None,
        }
        parents |= _object(index.metadata.get(MODELS))
    return parents


def _given(text: str) -> dict[str, str]:
    try:
        given = parse_json(text.strip() or "{}", "metadata_json")
    except JsonNotRead:
        given = None
    if not isinstance(given, dict):
        raise InvalidRequest(
            "metadata_json",
            'The further metadata is no JSON object of texts. Write for example {"author": "me"}, or {}.',
        )
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}


def _object(text: str | None) -> dict[str, Any]:
    """What a parent's metadata holds as JSON; empty where it holds something else."""
    try:
        value = parse_json(text or "{}", "metadata")
    except JsonNotRead:
        return {}
    return value if isinstance(value, dict) else {}


def _needed(base: Index) -> dict[str, str]:
    return {key: base.metadata[key] for key in NEEDED if key in base.metadata}


def _without_outdated(metadata: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in metadata.items() if key not in OUTDATED}
