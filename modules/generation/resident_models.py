"""The models in memory: the one in use, and those before it, as many as the settings allow."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from modules.generation.loaded import LoadedModel, ModelChoice
from modules.memory import give_back_heap, memory_for_us, resident_memory
from modules.settings import Options

__all__ = ["Allowance", "ResidentModels"]

Load = Callable[[ModelChoice, Callable[[], None]], LoadedModel]
"""Loads a model; calls the function given besides once its files are known to be good."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many models may be kept: on the device, and further ones in the machine's own memory. On a
    processor both are the same place.
    """

    on_device: int = 1
    in_ram: int = 0

    @classmethod
    def of(cls, options: Options) -> Allowance:
        """What `sd_checkpoints_limit`, `sd_checkpoints_keep_in_cpu` and the older `sd_checkpoint_cache`
        allow.
        """
        loaded = options.sd_checkpoints_limit
        on_device = 1 if options.sd_checkpoints_keep_in_cpu else loaded
        return cls(on_device, loaded - on_device + options.sd_checkpoint_cache)

    @property
    def total(self) -> int:
        """In both places."""
        return self.on_device + self.in_ram


class ResidentModels:
    """Loaded models, used last first. The one that was not used for longest goes first.

    A model beyond the first is a cache: it is let go before anything is refused for lack of memory. The
    models of one job are in memory together, whatever the allowance.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self._models: list[LoadedModel] = []

    @property
    def current(self) -> LoadedModel | None:
        """The one used last, None before the first."""
        return next(iter(self._models), None)

    @property
    def all(self) -> Sequence[LoadedModel]:
        """All of them, used last first."""
        return tuple(self._models)

    def bring(
        self,
        choice: ModelChoice,
        allowance: Allowance,
        in_use: Sequence[LoadedModel] = (),
        say: Callable[[str], None] = lambda _: None,
    ) -> LoadedModel:
        """The model of `choice`, where the memory mode has it; loaded where it is not here already.

        in_use: models that were brought for the same job, and stay where they are. say: is told what takes
        time. Raises EaselError for files that cannot be loaded; then all that was here still is.
        """
        found = next((each for each in self._models if each.is_from(choice)), None)
        if found is None:
            say(f"Loading {choice.checkpoint.name}")
            found = self._load(choice, lambda: self._make_way(choice, allowance, in_use))
        else:
            if not found.has_vae(choice.vae):
                say(f"Loading {choice.vae.name if choice.vae else 'the VAE of the checkpoint'}")
                found.take_vae(choice.vae)
            self.settle(allowance, [*in_use, found])
            if found.comes_back:
                say(f"Bringing {choice.checkpoint.name} back")
            found.wake()
        self._models = [*in_use, *([] if found in in_use else [found]), *self._besides([*in_use, found])]
        return found

    def settle(self, allowance: Allowance, in_use: Sequence[LoadedModel] = (), coming: int = 0) -> None:
        """Keep what `allowance` allows beside `in_use` and `coming` models that are to be loaded."""
        taken = len(in_use) + coming
        others = self._besides(in_use)[: max(allowance.total - taken, 0)]
        awake = max(allowance.on_device - taken, 0)
        resting = [each for each in others[awake:] if self._rested(each)]
        self._keep_only([*in_use, *others[:awake], *resting])

    def keep_at_most(self, most_bytes: int, wanted: Collection[Path] = ()) -> None:
        """Let models leave the memory in which is computed, until those that are no checkpoint of `wanted`
        take `most_bytes` there.
        """
        self._keep_only(self._fitting(most_bytes, wanted))

    def clear(self) -> None:
        """Free them all."""
        self._keep_only(())

    def _besides(self, in_use: Sequence[LoadedModel]) -> list[LoadedModel]:
        return [each for each in self._models if each not in in_use]

    def _make_way(self, choice: ModelChoice, allowance: Allowance, in_use: Sequence[LoadedModel]) -> None:
        """Before a model is read: what its file was before, and one more than may be kept, leave."""
        path = choice.checkpoint.path
        self._keep_only(
            [each for each in self._models if each in in_use or each.model.checkpoint.path != path]
        )
        self.settle(allowance, in_use, coming=1)

    def _fitting(self, most_bytes: int, wanted: Collection[Path]) -> list[LoadedModel]:
        kept, left = [], most_bytes
        for each in self._models:
            if each.is_on_device and each.model.checkpoint.path not in wanted:
                left -= each.model.nbytes
                if left < 0 and (each.model.policy.device.type == "cpu" or not self._rested(each)):
                    continue
            kept.append(each)
        return kept

    def _rested(self, model: LoadedModel) -> bool:
        """Whether it is in the machine's own memory now: not, where that has no room for it."""
        if model.is_on_device and model.model.policy.device.type != "cpu":
            room = memory_for_us(torch.device("cpu"))
            if room is not None and room - resident_memory() < model.model.nbytes:
                return False
        model.rest()
        return True

    def _keep_only(self, models: Collection[LoadedModel]) -> None:
        if len(models) == len(self._models):
            return
        self._models = [each for each in self._models if each in models]
        # What is gone refers to itself.
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        give_back_heap()
