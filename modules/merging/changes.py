"""What is done to the pieces of a result, be it a merge or a conversion: another VAE, another number type,
some left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod

from modules.checkpoints import StoredTensor, vae_names
from modules.errors import InvalidRequest
from modules.expressions import Expression
from modules.merging.matching import stored_as
from modules.merging.parents import Index
from modules.merging.plan import Part, Piece
from modules.merging.request import Precision

__all__ = ["VAE_PARENT", "VAE_PREFIX", "all_stored_as", "with_vae_of", "without_matching"]

VAE_PREFIX = "first_stage_model."
VAE_PARENT = "vae"
Pieces = Mapping[str, Piece]


def all_stored_as(pieces: Pieces, save_as: Precision) -> dict[str, Piece]:
    """All pieces in the wanted number type, those too that nothing is computed of."""
    return {name: replace(piece, dtype=stored_as(piece.dtype, save_as)) for name, piece in pieces.items()}


def with_vae_of(pieces: Pieces, vae: Index, save_as: Precision) -> dict[str, Piece]:
    """The pieces with the numbers of the file `vae` in the place of their VAE's.

    Its tensors may have the names of the original layout or those of diffusers. Raises InvalidRequest for
    `bake_in_vae` where there is nothing to replace, and for a VAE of other sizes.
    """
    own = {name[len(VAE_PREFIX) :]: name for name in pieces if name.startswith(VAE_PREFIX)}
    given = {name.removeprefix(VAE_PREFIX): stored for name, stored in vae.tensors.items()}
    # Both by the names of diffusers, which every layout has.
    places, sources = vae_names(own), vae_names(given)
    pairs = {own[name]: given[name] for name in own if name in given}
    pairs |= {own[places[key]]: given[sources[key]] for key in places if key in sources}
    if not pairs:
        raise _refused(vae, "it has no tensor that is in the VAE of the checkpoint too")
    for name, stored in pairs.items():
        if prod(stored.shape) != prod(pieces[name].shape):
            raise _refused(
                vae, f"{name} has the shape {list(stored.shape)} there and {list(pieces[name].shape)} here"
            )
    return {**pieces, **{name: _from_vae(pieces[name], stored, save_as) for name, stored in pairs.items()}}


def _from_vae(piece: Piece, stored: StoredTensor, save_as: Precision) -> Piece:
    dtype = stored_as(stored.dtype, save_as)
    return Piece(piece.name, piece.shape, dtype, (Part(VAE_PARENT, stored),))


def _refused(vae: Index, reason: str) -> InvalidRequest:
    return InvalidRequest("bake_in_vae", f"{vae.parent.name} cannot be baked in: {reason}.")


def without_matching(pieces: Pieces, pattern: str) -> dict[str, Piece]:
    """The pieces whose names the regular expression does not find; all for an empty one.

    Raises InvalidRequest for `discard_weights`.
    """
    if not pattern:
        return dict(pieces)
    found = Expression(pattern, "discard_weights")
    return {name: piece for name, piece in pieces.items() if not found.search(name)}
