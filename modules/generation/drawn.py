"""What drawing hands over: a picture, its text and facts about the model, fit to travel between machines."""

from dataclasses import dataclass
from enum import StrEnum

from PIL import Image

from modules.checkpoints import Model
from modules.generation.network import is_inpainting

__all__ = ["Drawn", "ModelFacts", "Role", "facts_of"]


class Role(StrEnum):
    """What a picture is to its job."""

    PICTURE = "picture"
    BEFORE_HIRES = "before-hires"
    GRID = "grid"


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
    device: str
    """As a person names it: "cpu", "NVIDIA H100"."""
    dtype: str
    vae_dtype: str


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


def facts_of(model: Model) -> ModelFacts:
    """The facts about `model`; hashes that are not known yet are computed now."""
    checkpoint, vae, policy = model.checkpoint, model.vae_file, model.policy
    return ModelFacts(
        name=checkpoint.name,
        stem=checkpoint.stem,
        short_hash=checkpoint.short_hash,
        sha256=checkpoint.sha256,
        vae_name=vae.name if vae else None,
        vae_short_hash=vae.short_hash if vae else None,
        vae_sha256=vae.sha256 if vae else None,
        is_inpainting=is_inpainting(model),
        device=policy.device_name,
        dtype=str(policy.dtype).removeprefix("torch."),
        vae_dtype=str(policy.vae_dtype).removeprefix("torch."),
    )
