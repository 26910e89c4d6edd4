"""A model in memory, with all that is made from it once and kept with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import torch

from modules.adapters import AdapterShelves, Magnitudes, Wardrobe, Worn
from modules.checkpoints import CheckpointFile, EightBits, Family, KeptWeights, Model, VaeFile, with_vae
from modules.conditioning import EmbeddingLookup, EncodingCache, PromptEncoder
from modules.generation.artist import Artist
from modules.generation.odd_sizes import enlarge_as_reference
from modules.generation.preview import LinearPreview
from modules.generation.token_counts import conditioning_options
from modules.memory import AttentionKind, Chunks, DevicePolicy, MemoryMode, set_attention
from modules.prompts import NetworkTag
from modules.settings import Options

__all__ = ["LoadedModel", "ModelChoice"]

RAM = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model is wanted: its files, and where and in which types it is to be.

    `eight_bits`, `exact_copies`: see `KeptWeights.of`.
    """

    checkpoint: CheckpointFile
    vae: VaeFile | None
    policy: DevicePolicy
    eight_bits: str = EightBits.NEVER
    exact_copies: bool = False

    def kept(self, family: Family) -> KeptWeights:
        """How the weights of a model of `family` are kept."""
        return KeptWeights.of(self.eight_bits, self.exact_copies, family, self.policy)


class LoadedModel:
    """A model, what it remembers of texts, its preview map and its adapters.

    Between jobs it may `rest`: without adapters and away from the device, until it is woken. In a lighter
    memory mode it is away from the device while it draws, too, and its placement brings part by part.
    """

    def __init__(self, model: Model, adapters: AdapterShelves, chunks: Chunks | None = None) -> None:
        enlarge_as_reference(model.unet)
        if model.policy.channels_last:
            model.unet.to(memory_format=torch.channels_last)
        self.model = model
        self.wardrobe = Wardrobe(model, adapters)
        self._rests = model.placement.mode is not MemoryMode.NORMAL
        self._chunks = chunks
        self._encodings = EncodingCache()
        self._attention: tuple[AttentionKind, bool] = (AttentionKind.AUTOMATIC, False)
        self._checkpoint_stamp = model.checkpoint.stamp
        self._vae_stamp = model.vae_file.stamp if model.vae_file else None

    def is_from(self, choice: ModelChoice) -> bool:
        """Whether loading the checkpoint of `choice` would give the same, but for its VAE. A file that is
        gone counts as unchanged.
        """
        return (
            self.model.checkpoint.path == choice.checkpoint.path
            and choice.checkpoint.stamp in (self._checkpoint_stamp, None)
            and self.model.policy == choice.policy
            and self.model.kept == choice.kept(self.model.family)
        )

    def has_vae(self, vae: VaeFile | None) -> bool:
        """Whether its VAE is that of the file `vae`, None: of the checkpoint, as it is now."""
        return self.model.vae_file == vae and (vae is None or vae.stamp in (self._vae_stamp, None))

    def take_vae(self, vae: VaeFile | None) -> None:
        """Exchange the VAE alone. Raises EaselError for a file that does not fit; then nothing changes."""
        self.model.placement.clear()
        self.model = with_vae(self.model, vae)
        self.wardrobe.now_in(self.model)
        self._vae_stamp = vae.stamp if vae else None
        self.__dict__.pop("preview", None)

    @property
    def is_on_device(self) -> bool:
        """Whether its weights take memory of the device that computes."""
        return not self._rests or self.model.policy.device == RAM

    @property
    def comes_back(self) -> bool:
        """Whether the memory mode in which is drawn next has it come back to its device."""
        is_normal = self.model.placement.mode is MemoryMode.NORMAL
        return is_normal and not self.is_on_device

    def rest(self) -> None:
        """Take off all adapters and leave the device for the machine's own memory; bits stay as they are."""
        if self.wardrobe.wear(()).changed_text:
            self._encodings.clear()
        if not self._rests:
            self._move(RAM)
            self._rests = True

    def wake(self) -> None:
        """Be where the memory mode in which is drawn next has its models: come back to the device, or leave
        it.
        """
        is_normal = self.model.placement.mode is MemoryMode.NORMAL
        if is_normal and self._rests:
            # Originals of weights that adapters changed would stay behind.
            self.rest()
            self._move(self.model.policy.device)
            self._rests = False
        elif not is_normal and not self._rests:
            self.rest()

    def _move(self, device: torch.device) -> None:
        self.model.placement.clear()
        for module in self.model.modules:
            module.to(device)

    @cached_property
    def preview(self) -> LinearPreview:
        """Fitted to the model's VAE when the first preview is wanted."""
        return LinearPreview(self.model)

    def encoder(self, options: Options, embeddings: Sequence[EmbeddingLookup]) -> PromptEncoder:
        """An encoder that reads prompts as `options` say; by setting it remembers what was encoded before."""
        cache = self._encodings if options.persistent_cond_cache else None
        return PromptEncoder(self.model, conditioning_options(options), cache, embeddings)

    def _dress(self, magnitudes: Magnitudes, tags: Sequence[NetworkTag]) -> Worn:
        worn = self.wardrobe.wear(tags, magnitudes)
        if worn.changed_text:
            self._encodings.clear()
        return worn

    def artist(self, options: Options, attention: AttentionKind) -> Artist:
        """Who draws with this model as `options` say. Raises InvalidRequest for an attention that is not
        installed.
        """
        wanted = attention, options.upcast_attn or self.model.policy.upcast_sampling
        if self._attention != wanted:
            set_attention(self.model.unet, attention, upcast=wanted[1], chunks=self._chunks)
            self._attention = wanted
        lookups = self.wardrobe.embeddings.lookups()
        encoder = self.encoder(options, lookups)
        dress = partial(self._dress, Magnitudes(options.lora_magnitudes))
        return Artist(
            self.model,
            encoder,
            lambda: self.preview,
            *wanted,
            dress,
            lookups[0].met,
            attending=partial(self.artist, options),
        )
