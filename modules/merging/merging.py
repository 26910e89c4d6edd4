"""A merge is planned: names are looked up, tensors matched, everything is decided. No number is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from modules.adapters import WantedNetwork
from modules.checkpoints import CheckpointFile
from modules.errors import InvalidRequest, NotFound
from modules.merging.alike import canonical, notes_on_names, with_averages
from modules.merging.bake import BakePlan, plan_bake
from modules.merging.blocks import blocks_of
from modules.merging.changes import VAE_PARENT, all_stored_as, with_vae_of, without_matching
from modules.merging.drying import Draft, finished
from modules.merging.formula import read_formula
from modules.merging.matching import Blend, Matching, match_tensors
from modules.merging.mixing import AddDifference, Linear, WeightedSum
from modules.merging.naming import difference_name, formula_name, result_path, sum_name, with_loras
from modules.merging.parents import FIELDS, Index, MergeShelves, chosen_models, read_index
from modules.merging.plan import ConfigCopy, MergePlan
from modules.merging.recipe import merge_metadata
from modules.merging.request import ConfigSource, FileFormat, Interpolation, MergeRequest

__all__ = ["plan_merge"]

Models = Mapping[str, CheckpointFile]
ROUNDING = 1e-6


def plan_merge(request: MergeRequest, shelves: MergeShelves) -> MergePlan:
    """Decide everything about a merge; `dry_run` of the answer says what it comes to, and whether it can be
    done at all.

    Raises NotFound for a model that does not exist, InvalidRequest naming the field for what is wrong in the
    request, and EaselError for a file that cannot be read.
    """
    if request.interp_method is Interpolation.FORMULA:
        _check_formula(request)
    models = chosen_models(request, shelves.checkpoints)
    found = {letter: read_index(file, file.name) for letter, file in models.items()}
    base = next(iter(models))
    plain = {letter: canonical(index) for letter, index in found.items()}
    indexes = {letter: with_averages(index, plain[base].tensors) for letter, index in plain.items()}
    matching = _matched(request, indexes, base)
    pieces: Mapping[str, Any] = matching.pieces
    if request.interp_method is Interpolation.NONE:
        pieces = all_stored_as(pieces, request.save_as)
    vae = _vae(request, shelves)
    if vae:
        pieces = with_vae_of(pieces, vae, request.save_as)
    bake, networks = _bake(request, shelves, models[base], indexes[base])
    if bake:
        pieces = {name: replace(each, is_baked=name in bake.windows) for name, each in pieces.items()}
    pieces = without_matching(pieces, request.discard_weights)
    path = result_path(
        shelves.folders.new_checkpoints,
        request.custom_name,
        with_loras(_made_up_name(request, models), request.loras),
        str(matching.kind or ""),
        request.checkpoint_format,
    )
    parents = {**indexes, **networks, **({VAE_PARENT: vae} if vae else {})}
    draft = Draft(
        path=path,
        file_format=request.checkpoint_format,
        overwrite=request.overwrite,
        pieces=pieces,
        before=len(indexes[base].tensors),
        parents={name: index.parent for name, index in parents.items()},
        metadata=merge_metadata(request, indexes, networks, vae, matching.kind),
        needs_hashes=_writes_recipe(request),
        bake=bake,
        config=_config(request, models, path.stem),
        notes=(
            *notes_on_names(found, plain, indexes),
            *_notes(request, models, matching, bake, len(pieces)),
        ),
        matching=None if request.interp_method is Interpolation.NONE else matching,
    )
    return finished(draft)


def _check_formula(request: MergeRequest) -> None:
    """What is wrong with the formula is said before a model is looked for."""
    given = [letter for letter, field in FIELDS.items() if getattr(request, field)]
    read_formula(request.formula, [*given, *request.models], request.multiplier)


def _matched(request: MergeRequest, indexes: Mapping[str, Index], base: str) -> Matching:
    tensors = {letter: index.tensors for letter, index in indexes.items()}
    multiplier = _multipliers(request, indexes[base])
    blend = {
        Interpolation.NONE: lambda: _no_blend(base),
        Interpolation.WEIGHTED_SUM: lambda: _sum_blend(multiplier),
        Interpolation.ADD_DIFFERENCE: lambda: _difference_blend(multiplier),
        Interpolation.FORMULA: lambda: _formula_blend(request.formula, list(indexes), multiplier),
    }[request.interp_method]()
    return match_tensors(tensors, base, blend, request.save_as)


def _multipliers(request: MergeRequest, base: Index) -> Callable[[str], float]:
    """The multiplier of each tensor, by its name. Raises InvalidRequest for an unknown block."""
    blocks = blocks_of(base.tensors)
    there = sorted(set(blocks.values()))
    for block in request.block_weights:
        if block not in there:
            raise InvalidRequest(
                "block_weights",
                f'{base.parent.name} has no block "{block[:20]}". Its blocks are: {", ".join(there)}.',
            )
    return lambda name: request.block_weights.get(blocks[name], request.multiplier)


def _no_blend(base: str) -> Blend:
    return lambda name, owners: ((base,), None)


def _sum_blend(multiplier: Callable[[str], float]) -> Blend:
    return lambda name, owners: (("A", "B"), WeightedSum(multiplier(name))) if "B" in owners else None


def _difference_blend(multiplier: Callable[[str], float]) -> Blend:
    def blend(name: str, owners: frozenset[str]) -> Any:
        if "B" not in owners:
            return None
        # As in the field a tensor that C lacks makes no difference.
        return (("A", "B", "C"), AddDifference(multiplier(name))) if "C" in owners else (("A",), None)

    return blend


def _formula_blend(formula: str, letters: list[str], multiplier: Callable[[str], float]) -> Blend:
    @cache
    def factors(number: float) -> dict[str, float]:
        return {letter: each for letter, each in read_formula(formula, letters, number).items() if each}

    def blend(name: str, owners: frozenset[str]) -> Any:
        found = factors(multiplier(name))
        return (tuple(found), Linear(tuple(found.values()))) if owners.issuperset(found) else None

    return blend


def _vae(request: MergeRequest, shelves: MergeShelves) -> Index | None:
    if request.bake_in_vae is None:
        return None
    file = shelves.vaes.find(request.bake_in_vae)
    return read_index(file, file.name)


def _bake(
    request: MergeRequest, shelves: MergeShelves, checkpoint: CheckpointFile, base: Index
) -> tuple[BakePlan | None, dict[str, Index]]:
    """The plan for the request's networks, and their files by the names that parents have."""
    if not request.loras:
        return None, {}
    wanted = []
    for lora in request.loras:
        file = shelves.networks.find(lora.name)
        if file is None:
            raise NotFound(f'There is no LoRA called "{lora.name[:100]}".')
        wanted.append(WantedNetwork(file, lora.text, lora.unet))
    plan = plan_bake(checkpoint, base.tensors, wanted, shelves.folders.configs, request.magnitudes)
    indexes = {
        f"lora {number}": read_index(each.file, each.file.path.name) for number, each in enumerate(wanted, 1)
    }
    return plan, indexes


def _made_up_name(request: MergeRequest, models: Models) -> str:
    names = {letter: file.model_name for letter, file in models.items()}
    if request.interp_method is Interpolation.FORMULA:
        factors = read_formula(request.formula, list(models), request.multiplier)
        name = formula_name(factors, names)
    else:
        name = {
            Interpolation.NONE: lambda: names["A"],
            Interpolation.WEIGHTED_SUM: lambda: sum_name(request.multiplier, names["A"], names["B"]),
            Interpolation.ADD_DIFFERENCE: lambda: difference_name(request.multiplier, **_lower(names)),
        }[request.interp_method]()
    return f"{name} by blocks" if request.block_weights else name


def _lower(names: Mapping[str, str]) -> dict[str, str]:
    return {letter.lower(): name for letter, name in names.items()}


def _config(request: MergeRequest, models: Models, stem: str) -> ConfigCopy | None:
    letters: Mapping[ConfigSource, list[str]] = {
        ConfigSource.FIRST_FOUND: list(models),
        ConfigSource.B: ["B"],
        ConfigSource.C: ["C"],
        ConfigSource.NONE: [],
    }
    files = (models[letter] for letter in letters[request.config_source] if letter in models)
    path = next((file.config_path for file in files if file.config_path), None)
    return ConfigCopy(path, f"{stem}.yaml") if path else None


def _writes_recipe(request: MergeRequest) -> bool:
    is_safetensors = request.checkpoint_format is FileFormat.SAFETENSORS
    return is_safetensors and request.save_metadata and request.add_merge_recipe


def _notes(
    request: MergeRequest, models: Models, matching: Matching, bake: BakePlan | None, left: int
) -> Iterator[str]:
    if request.checkpoint_format is FileFormat.CKPT and request.save_metadata:
        yield "A .ckpt has no place for metadata: the recipe is not in it."
    if len({file.path for file in models.values()}) < len(models):
        yield "Some of these models are the same file."
    if request.interp_method is Interpolation.FORMULA:
        total = sum(read_formula(request.formula, list(models), request.multiplier).values())
        if abs(total - 1) > ROUNDING:
            yield f"The formula's factors add up to {total:g}; those of usable models mostly add up to 1."
    for letters, names in matching.only_in_some.items():
        yield _sentence_of_missing(letters, names, next(iter(models)))
    if request.discard_weights and left == len(matching.pieces):
        yield f"No tensor has a name that {request.discard_weights!r} finds."
    yield from bake.notes if bake else ()


def _sentence_of_missing(letters: str, names: tuple[str, ...], base: str) -> str:
    what = f"{len(names)} tensors, such as {names[0]}, are" if len(names) > 1 else f"The tensor {names[0]} is"
    if base in letters.split(", "):
        return f"{what} only in {letters}: what cannot be computed is taken from {base}."
    return f"{what} only in {letters}, and not part of the result."
