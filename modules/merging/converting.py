"""A conversion is planned: one checkpoint in another format or number type, or without what drawing does not
need.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from modules.errors import InvalidRequest
from modules.merging.changes import (
    VAE_PARENT,
    VAE_PREFIX,
    all_stored_as,
    with_vae_of,
    without_matching,
)
from modules.merging.drying import Draft, finished
from modules.merging.naming import result_path
from modules.merging.parents import Index, MergeShelves, read_index
from modules.merging.plan import ConfigCopy, MergePlan, Part, Piece
from modules.merging.recipe import conversion_metadata
from modules.merging.request import ConvertRequest, Ema, FileFormat, Precision

__all__ = ["ema_name", "plan_convert"]

EMA_PREFIX = "model_ema."
WEIGHTS_PREFIX = "model."


def plan_convert(request: ConvertRequest, shelves: MergeShelves) -> MergePlan:
    """Decide everything about a conversion. Raises as `plan_merge` does."""
    file = shelves.checkpoints.find(request.checkpoint)
    index = read_index(file, file.name)
    vae = shelves.vaes.find(request.bake_in_vae) if request.bake_in_vae else None
    vae_index = read_index(vae, vae.name) if vae else None
    pieces = _with_ema(_pieces(index), request.ema, index)
    if request.drop_vae:
        pieces = {name: piece for name, piece in pieces.items() if not name.startswith(VAE_PREFIX)}
    pieces = all_stored_as(pieces, request.save_as)
    if vae_index:
        pieces = with_vae_of(pieces, vae_index, request.save_as)
    pieces = without_matching(pieces, request.discard_weights)
    path = result_path(
        shelves.folders.new_checkpoints,
        request.custom_name,
        _made_up_name(request, file.model_name),
        "",
        request.checkpoint_format,
    )
    config = file.config_path if request.copy_config else None
    draft = Draft(
        path=path,
        file_format=request.checkpoint_format,
        overwrite=request.overwrite,
        pieces=pieces,
        before=len(index.tensors),
        parents={"A": index.parent} | ({VAE_PARENT: vae_index.parent} if vae_index else {}),
        metadata=conversion_metadata(request, index, vae_index),
        needs_hashes=request.checkpoint_format is FileFormat.SAFETENSORS,
        bake=None,
        config=ConfigCopy(config, f"{path.stem}.yaml") if config else None,
        notes=tuple(_notes(request, index)),
    )
    return finished(draft)


def _pieces(index: Index) -> dict[str, Piece]:
    return {
        name: Piece(name, stored.shape, stored.dtype, (Part("A", stored),))
        for name, stored in index.tensors.items()
    }


def _with_ema(pieces: Mapping[str, Piece], ema: Ema, index: Index) -> dict[str, Piece]:
    if ema is Ema.KEEP:
        return dict(pieces)
    kept = {name: piece for name, piece in pieces.items() if not name.startswith(EMA_PREFIX)}
    if ema is Ema.DROP:
        return kept
    averages = {name: pieces[found] for name in kept if (found := ema_name(name)) in pieces}
    if not averages:
        raise InvalidRequest(
            "ema", f"{index.parent.name} holds no running averages (EMA) that could take the weights' place."
        )
    return kept | {name: replace(piece, name=name) for name, piece in averages.items()}


def ema_name(name: str) -> str:
    """What trainers of latent diffusion call the running average of a weight."""
    return EMA_PREFIX + name.removeprefix(WEIGHTS_PREFIX).replace(".", "")


def _made_up_name(request: ConvertRequest, name: str) -> str:
    number_type = "" if request.save_as is Precision.KEEP else f"-{request.save_as}"
    averages = {Ema.KEEP: "", Ema.DROP: "-pruned", Ema.USE: "-ema"}[request.ema]
    return f"{name}{averages}{'-no-vae' if request.drop_vae else ''}{number_type}"


def _notes(request: ConvertRequest, index: Index) -> Iterator[str]:
    if request.checkpoint_format is FileFormat.CKPT and index.metadata:
        yield "A .ckpt has no place for metadata: that of the checkpoint is not in it."
    if request.ema is Ema.DROP and not any(name.startswith(EMA_PREFIX) for name in index.tensors):
        yield f"{index.parent.name} holds no running averages (EMA), so there are none to drop."
    if request.drop_vae:
        yield "Without its VAE the model draws only with one that is chosen in the settings."
