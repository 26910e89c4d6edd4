"""Settings that name something which may not be there: a checkpoint, a VAE, an upscaler, a package."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import torch

from modules.adapters import AdapterShelves
from modules.checkpoints import CheckpointFile, CheckpointShelf, VaeShelf
from modules.errors import InvalidRequest, NotFound
from modules.memory import AttentionKind, xformers_lack
from modules.settings import Options
from modules.upscaling import UPSCALERS

__all__ = ["NamedSettings"]

log = logging.getLogger(__name__)

NONE = (None, "", "None")
CHECKPOINT, VAE, ATTENTION, UPSCALER = (
    "sd_model_checkpoint",
    "sd_vae",
    "cross_attention_optimization",
    "upscaler_for_img2img",
)


class NamedSettings:
    """Says what of the settings cannot be here: refused where somebody sets it now, and done without where it
    stood in the settings before (a file of another program, a VAE that was deleted).
    """

    def __init__(
        self, checkpoints: CheckpointShelf, vaes: VaeShelf, adapters: AdapterShelves, device: torch.device
    ) -> None:
        self._checkpoints, self._vaes, self._adapters, self._device = checkpoints, vaes, adapters, device
        self._met: set[str] = set()
        """Checkpoints that were there while the program runs; without one of them nothing else is drawn."""
        self._said: set[str] = set()

    def checked(self, values: Mapping[str, Any], current: Options) -> dict[str, Any]:
        """`values` to be set, the checkpoint by its title.

        Raises NotFound for a checkpoint and InvalidRequest for another thing that is not there, unless that
        is the setting already.
        """
        checked = dict(values)
        for key, value in values.items():
            if key == CHECKPOINT and value:
                if getattr(current, key) == value and str(value) not in self._met:
                    continue
                checked[key] = self._checkpoints.find(str(value)).title
                self._met.add(checked[key])
            elif key in Options.model_fields and getattr(current, key) != value:
                self._check(key, value)
        return checked

    def usable(
        self, options: Options, asked: Collection[str] = (), *, over_picture: bool = False
    ) -> tuple[Options, tuple[str, ...]]:
        """`options` without what cannot be here, and a sentence for each of those.

        asked: the keys that the request itself sets. over_picture: it starts from pictures. Raises NotFound
        for a checkpoint that is asked for, or was there before, and InvalidRequest for other things that are
        asked for.
        """
        without: dict[str, Any] = {}
        notes: list[str] = []
        for key in asked:
            self._check(key, getattr(options, key, None))
        for key, default, instead in self._instead(options, asked):
            if key == UPSCALER and not over_picture:
                continue
            without[key] = default
            notes.append(instead)
        for note in notes:
            if note not in self._said:
                self._said.add(note)
                log.warning("%s", note)
        return options.overridden(without), tuple(notes)

    def _instead(self, options: Options, asked: Collection[str]) -> Iterator[tuple[str, Any, str]]:
        """Keys of settings that cannot be, the value in their place, and what is said of it."""
        name = options.sd_model_checkpoint
        if name and not self._find_checkpoint(name, must=CHECKPOINT in asked):
            yield (
                CHECKPOINT, None,
                f'The checkpoint "{name[:100]}" of the settings is not there, so it was drawn with the first '
                "one found. Choose another, or put the file back.",
            )  # fmt: skip
        for key, default, instead in (
            (VAE, "Automatic", "It was drawn without."),
            (ATTENTION, "Automatic", "It was drawn without."),
            (UPSCALER, None, "Lanczos was used."),
        ):
            try:
                self._check(key, getattr(options, key))
            except InvalidRequest as error:
                yield key, default, f"The setting {key}: {error} {instead}"

    def _find_checkpoint(self, name: str, *, must: bool) -> CheckpointFile | None:
        try:
            found = self._checkpoints.find(name)
        except NotFound:
            if must or name in self._met:
                raise
            return None
        self._met.add(name)
        return found

    def _check(self, key: str, value: Any) -> None:
        """Raise InvalidRequest for a value of the right type that names what is not there."""
        checks: dict[str, Callable[[str], None]] = {
            VAE: self._check_vae,
            ATTENTION: self._check_attention,
            UPSCALER: _check_upscaler,
            "sd_lora": self._check_network,
            "sd_hypernetwork": self._check_hypernetwork,
        }
        if isinstance(value, str) and value not in NONE and key in checks:
            checks[key](value)

    def _check_vae(self, name: str) -> None:
        if name == "Automatic":
            return
        try:
            self._vaes.find(name)
        except InvalidRequest:
            self._vaes.refresh()
            self._vaes.find(name)

    def _check_attention(self, name: str) -> None:
        if name == AttentionKind.XFORMERS and (lack := xformers_lack(self._device)):
            raise InvalidRequest(ATTENTION, lack)

    def _check_network(self, name: str) -> None:
        if self._adapters.networks.find(name) is None:
            raise InvalidRequest("sd_lora", f"No LoRA is called {name[:100]!r}. Choose another, or None.")

    def _check_hypernetwork(self, name: str) -> None:
        if self._adapters.hypernetworks.find(name) is None:
            sentence = f"No hypernetwork is called {name[:100]!r}. Choose another, or None."
            raise InvalidRequest("sd_hypernetwork", sentence)


def _check_upscaler(name: str) -> None:
    if name not in UPSCALERS:
        known = ", ".join(UPSCALERS)
        raise InvalidRequest(UPSCALER, f"No upscaler is called {name[:100]!r}. Choose one of: {known}.")
