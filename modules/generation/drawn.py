"""What drawing hands over: a picture, its text and facts about the model, fit to travel between machines."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from PIL import Image

from modules.checkpoints import CheckpointFile, ExtraInput, Model, VaeFile
from modules.generation.artist import Artist
from modules.generation.network import is_inpainting
from modules.generation.strips import VaeStrips
from modules.generation.surroundings import Surroundings, surroundings_of

__all__ = ["Drawn", "FileFacts", "ModelFacts", "ModelFiles", "Role", "facts_of"]

SHORT_DIGITS = 10


class Role(StrEnum):
    """What a picture is to its job."""

    PICTURE = "picture"
    BEFORE_HIRES = "before-hires"
    GRID = "grid"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file by its name, without a folder, and by its contents. The hash is None with --no-hashing."""

    name: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files that a model was made from; no VAE: the checkpoint's own; `config`: the .yaml beside it."""

    checkpoint: FileFacts
    vae: FileFacts | None
    config: FileFacts | None = None

    @property
    def short_title(self) -> str:
        """The checkpoint as generation texts name it: "name [hash]", or the name where no hash is known."""
        stem, sha256 = PurePosixPath(self.checkpoint.name).stem, self.checkpoint.sha256
        return f"{stem} [{sha256[:SHORT_DIGITS]}]" if sha256 else stem


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What texts, file names and records tell of a loaded model. Hashes are None with --no-hashing."""

    name: str
    """The checkpoint's path below its folder."""
    stem: str
    short_hash: str | None
    sha256: str | None
    vae_name: str | None
    """None for the checkpoint's own VAE; likewise its hashes."""
    vae_short_hash: str | None
    vae_sha256: str | None
    is_inpainting: bool
    edits_pictures: bool
    second: ModelFiles | None
    """The files of the hires pass, where it has a checkpoint of its own."""
    surroundings: Surroundings
    config: FileFacts | None = None
    """The .yaml beside the checkpoint that says what it is."""
    refiner: ModelFiles | None = None
    """The files of the refiner, where one takes part."""
    in_eight_bits: bool = False
    """Whether its weights are kept so."""
    adapters: tuple[FileFacts, ...] = ()
    """LoRAs and hypernetworks in use, in the order of the prompts."""
    embeddings: tuple[FileFacts, ...] = ()
    """Textual inversions that the prompts name."""

    @property
    def files(self) -> ModelFiles:
        """The files of the first pass."""
        vae = FileFacts(self.vae_name, self.vae_sha256) if self.vae_name else None
        return ModelFiles(FileFacts(PurePosixPath(self.name).name, self.sha256), vae, self.config)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as it comes from the model, not saved yet.

    `index` counts the pictures of the job from 0. `image` is None for a picture that was given up before
    there was anything to see; `complete` is False for the newest estimate of one that was given up later.
    """

    role: Role
    index: int
    image: Image.Image | None
    infotext: str
    seed: int
    subseed: int
    facts: ModelFacts
    complete: bool = True
    vae_strips: VaeStrips | None = None
    """How large pictures were coded; None: whole."""
    alone: bool = False
    """Whether it was drawn by itself although its batch was to be drawn together."""


def facts_of(first: Artist, second: Artist, refiner: Artist | None = None) -> ModelFacts:
    """The facts about the models of the two passes and of who takes over in them; hashes that are not known
    yet are computed now.
    """
    model = first.model
    checkpoint, vae = model.checkpoint, model.vae_file
    return ModelFacts(
        name=checkpoint.name,
        stem=checkpoint.stem,
        short_hash=checkpoint.short_hash,
        sha256=checkpoint.sha256,
        vae_name=vae.name if vae else None,
        vae_short_hash=vae.short_hash if vae else None,
        vae_sha256=vae.sha256 if vae else None,
        is_inpainting=is_inpainting(model),
        edits_pictures=model.extra_input is ExtraInput.PICTURE,
        config=_config(checkpoint),
        second=None if second.model is model else _files(second.model),
        refiner=_files(refiner.model) if refiner else None,
        in_eight_bits=model.kept.eight_bits,
        surroundings=surroundings_of(model.policy, first.attention, upcast=first.upcast_attention),
    )


def _files(model: Model) -> ModelFiles:
    vae = model.vae_file
    return ModelFiles(_file(model.checkpoint), _file(vae) if vae else None, _config(model.checkpoint))


def _file(file: CheckpointFile | VaeFile) -> FileFacts:
    return FileFacts(file.path.name, file.sha256)


def _config(checkpoint: CheckpointFile) -> FileFacts | None:
    path = checkpoint.config_path
    try:
        return FileFacts(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) if path else None
    except OSError:
        return None
