"""A model in memory, with what is made from it once."""

from functools import cached_property

from modules.checkpoints import CheckpointFile, Model, VaeFile, with_vae
from modules.conditioning import EncodingCache, PromptEncoder
from modules.generation.artist import Artist
from modules.generation.odd_sizes import enlarge_as_reference
from modules.generation.preview import LinearPreview
from modules.generation.token_counts import conditioning_options
from modules.memory import AttentionKind, set_attention
from modules.settings import Options

__all__ = ["Loaded"]


class Loaded:
    """A model in memory, with what is made from it once: its prompt encoder and its preview map."""

    def __init__(self, model: Model) -> None:
        enlarge_as_reference(model.unet)
        self.model = model
        self._encodings = EncodingCache()
        self._attention: tuple[AttentionKind, bool] = (AttentionKind.AUTOMATIC, False)

    def is_from(self, checkpoint: CheckpointFile, vae: VaeFile | None) -> bool:
        """Whether this is what loading these files would give."""
        return self.model.checkpoint.path == checkpoint.path and self.model.vae_file == vae

    def with_vae(self, vae: VaeFile | None) -> "Loaded":
        """The same with another VAE. Raises EaselError for a file that does not fit."""
        other = Loaded(with_vae(self.model, vae))
        other._encodings, other._attention = self._encodings, self._attention
        return other

    @cached_property
    def preview(self) -> LinearPreview:
        """Fitted to the model's VAE when the first preview is wanted."""
        return LinearPreview(self.model)

    def encoder(self, options: Options) -> PromptEncoder:
        """An encoder that reads prompts as `options` say; by setting it remembers what was encoded before."""
        cache = self._encodings if options.persistent_cond_cache else None
        return PromptEncoder(self.model, conditioning_options(options), cache)

    def artist(self, options: Options, attention: AttentionKind) -> Artist:
        """Who draws with this model as `options` say. Raises InvalidRequest for an attention that is not
        installed.
        """
        wanted = attention, options.upcast_attn or self.model.policy.upcast_sampling
        if self._attention != wanted:
            set_attention(self.model.unet, attention, upcast=wanted[1])
            self._attention = wanted
        return Artist(self.model, self.encoder(options), lambda: self.preview, *wanted)
