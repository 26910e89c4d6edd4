"""A model in memory, with all that is made from it once and kept with it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import cached_property, partial

from modules.adapters import AdapterShelves, Magnitudes, Wardrobe, Worn
from modules.checkpoints import CheckpointFile, Model, VaeFile, with_vae
from modules.conditioning import EmbeddingLookup, EncodingCache, PromptEncoder
from modules.generation.artist import Artist
from modules.generation.odd_sizes import enlarge_as_reference
from modules.generation.preview import LinearPreview
from modules.generation.token_counts import conditioning_options
from modules.memory import AttentionKind, set_attention
from modules.prompts import NetworkTag
from modules.settings import Options

__all__ = ["LoadedModel"]


class LoadedModel:
    """A model, what it remembers of texts, its preview map and its adapters."""

    def __init__(self, model: Model, adapters: AdapterShelves) -> None:
        enlarge_as_reference(model.unet)
        self.model = model
        self.wardrobe = Wardrobe(model, adapters)
        self._encodings = EncodingCache()
        self._attention: tuple[AttentionKind, bool] = (AttentionKind.AUTOMATIC, False)

    def is_from(self, checkpoint: CheckpointFile, vae: VaeFile | None) -> bool:
        """Whether this is what loading these files would give."""
        return self.model.checkpoint.path == checkpoint.path and self.model.vae_file == vae

    def with_vae(self, vae: VaeFile | None) -> LoadedModel:
        """The same with another VAE. Raises EaselError for a file that does not fit."""
        other = copy(self)
        other.model = with_vae(self.model, vae)
        other.__dict__.pop("preview", None)
        return other

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
            set_attention(self.model.unet, attention, upcast=wanted[1])
            self._attention = wanted
        lookups = self.wardrobe.embeddings.lookups()
        encoder = self.encoder(options, lookups)
        dress = partial(self._dress, Magnitudes(options.lora_magnitudes))
        return Artist(self.model, encoder, lambda: self.preview, *wanted, dress, lookups[0].used)
