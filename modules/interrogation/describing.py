"""Describing a picture: which model, whether it may work now, and what becomes of it afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from modules.errors import EaselError, InvalidRequest
from modules.folders import Folders
from modules.interrogation.offers import Format, Offer, Wanted
from modules.interrogation.pictures import on_white
from modules.interrogation.shelf import InterrogatorShelf
from modules.interrogation.tags import tags_text
from modules.memory import DevicePolicy
from modules.settings import Options

__all__ = ["Description", "Interrogation"]

Turn = Callable[[], AbstractContextManager[object]]
MODEL_ERRORS = (RuntimeError, ValueError, LookupError, TypeError, AttributeError)
"""What a model whose parts do not fit each other raises while it works."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a model says about a picture."""

    text: str
    """A sentence, or tags with commas; empty when it recognises nothing."""
    model: str
    note: str = ""
    """A sentence for a person about an empty text."""


class Interrogation:
    """The models that describe pictures. Calls are one after another, in whatever threads they come.

    policy: where they compute. turn: a context in which nothing else needs the memory of that device; the
    small tagger does not wait for it. Who holds that turn already must not ask a large model.
    """

    def __init__(self, folders: Folders, policy: DevicePolicy, turn: Turn = nullcontext) -> None:
        self.shelf = InterrogatorShelf(folders)
        self._policy, self._turn = policy, turn
        self._lock = threading.Lock()
        self._kept: dict[Path, Any] = {}

    def offers(self) -> list[Offer]:
        """The models there are at this moment."""
        return self.shelf.look()[0]

    def loaded(self) -> list[str]:
        """Names of the models that are kept in memory."""
        return [offer.name for offer in self.offers() if offer.path in self._kept]

    def describe(self, image: Image.Image, model: str, options: Options) -> Description:
        """What `model` ("clip", "deepdanbooru", or a name of `offers`) says about a picture of any mode.

        Raises NotFound for a model that is not there, saying which file to put where, InvalidRequest for one
        that cannot be used, and EaselError when the memory does not suffice.
        """
        offer, wanted = self.shelf.find(model)
        picture = on_white(image)
        turn = nullcontext() if offer.is_light else self._turn()
        with turn, self._lock, _explained_shortage(offer):
            try:
                text = self._said(offer, wanted, picture, options)
            finally:
                if not offer.is_light and not options.interrogate_keep_models_in_memory:
                    self._let_go()
        return Description(text, offer.name, "" if text else self._about_nothing(offer, wanted, options))

    def _said(self, offer: Offer, wanted: Wanted, picture: Image.Image, options: Options) -> str:
        try:
            describer = self._kept.get(offer.path)
            if describer is None:
                describer = self._kept[offer.path] = _load(offer, self._policy)
            if wanted is Wanted.TAGS:
                return tags_text(describer.tags(picture), options)
            return str(describer.caption(picture, options))
        except (InvalidRequest, torch.OutOfMemoryError):
            raise
        except EaselError as error:
            # Another model, or another file in its place, mends it.
            raise InvalidRequest("model", str(error)) from error
        except MODEL_ERRORS as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise InvalidRequest("model", f"{offer.path} failed on this picture: {reason}") from error

    def _let_go(self) -> None:
        self._kept.clear()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _about_nothing(self, offer: Offer, wanted: Wanted, options: Options) -> str:
        if offer.format is Format.SMALL:
            return (
                f"{offer.name}, the small tagger that comes with the program, recognises nothing here: it "
                f"knows what the checkpoint {offer.name} draws. {self.shelf.advice(wanted)}"
            )
        if wanted is Wanted.TAGS:
            threshold = options.interrogate_deepbooru_score_threshold
            return f"{offer.name} gives no tag a score of {threshold:g} or more; lower the score threshold."
        return f"{offer.name} says nothing about this picture."


def _load(offer: Offer, policy: DevicePolicy) -> Any:
    """The describer for the format of `offer`. Imports happen here: most sessions need none of them."""
    if offer.format is Format.CAPTIONER:
        from modules.interrogation.captioner import load_captioner

        return load_captioner(offer.path, policy)
    if offer.format is Format.ONNX:
        from modules.interrogation.onnx_tagger import load_onnx_tagger

        return load_onnx_tagger(offer.path, on_gpu=policy.device.type == "cuda")
    if offer.format is Format.DEEPDANBOORU:
        from modules.interrogation.residual_tagger import load_residual_tagger

        return load_residual_tagger(offer.path, policy)
    from modules.interrogation.small_tagger import load_small_tagger

    return load_small_tagger(offer.path)


@contextmanager
def _explained_shortage(offer: Offer) -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        error.__traceback__ = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise EaselError(
            f"The memory does not suffice for {offer.name} beside what is loaded. Start the program with "
            "--use-cpu interrogate, or unload the checkpoint first."
        ) from None
