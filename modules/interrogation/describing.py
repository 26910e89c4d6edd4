"""Describing a picture: which model, whether it may work now, and what becomes of it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from modules.errors import EaselError, InvalidRequest
from modules.folders import Folders
from modules.interrogation.describing_child import DescribeCall
from modules.interrogation.describing_process import DescribingProcess
from modules.interrogation.offers import Format, Offer, Wanted
from modules.interrogation.pictures import on_white
from modules.interrogation.shelf import InterrogatorShelf
from modules.interrogation.small_tagger import SmallTagger, load_small_tagger
from modules.interrogation.tags import tags_text
from modules.memory import DevicePolicy
from modules.readings import READINGS
from modules.settings import Options

__all__ = ["Description", "Interrogation"]

Turn = Callable[[], AbstractContextManager[object]]
TURN_SECONDS = 30.0
"""For which describing keeps pictures from being drawn on the same card."""
ROOM, TIMES_ITS_SIZE = 3 << 30, 4
"""Bytes that every model may take, and what it may take beyond, by the bytes of its files: numbers in half
precision are twice as long on a processor, and there are copies while it loads."""
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

    Models that a user brings work in a process of their own, with bounds of time and memory.
    policy: where they compute. turn: a context in which nothing else needs the memory of that device; what
    works on a card holds it, but for no longer than `TURN_SECONDS`. Who holds that turn already must not ask.
    process: that of another such object, to be shared.
    """

    def __init__(
        self,
        folders: Folders,
        policy: DevicePolicy,
        turn: Turn = nullcontext,
        process: DescribingProcess | None = None,
    ) -> None:
        self.shelf = InterrogatorShelf(folders)
        self._policy, self._turn = policy, turn
        self._process = process or DescribingProcess()
        self._kept: tuple[int | None, set[str]] = (None, set())
        """The process in which models were kept, and their names."""
        self._small: dict[Path, SmallTagger] = {}

    def offers(self) -> list[Offer]:
        """The models there are at this moment."""
        return self.shelf.look()[0]

    def loaded(self) -> list[str]:
        """Names of the models that are kept in memory."""
        process, names = self._kept
        if process is None or process != self._process.process_id:
            names = set()
        return [offer.name for offer in self.offers() if offer.name in names or offer.path in self._small]

    def interrupt(self) -> bool:
        """End the description that is being made; whether there was one."""
        return self._process.interrupt()

    def close(self) -> None:
        """End all work; nothing is described any more."""
        self._process.close()

    def describe(self, image: Image.Image, model: str, options: Options) -> Description:
        """What `model` ("clip", "deepdanbooru", or a name of `offers`) says about a picture of any mode.

        Raises NotFound for a model that is not there, saying which file to put where, InvalidRequest for one
        that cannot be used, takes too long or was interrupted, and EaselError when the memory does not
        suffice.
        """
        READINGS.ask_for([model])
        offer, wanted = self.shelf.find(model)
        picture = on_white(image)
        with _explained_shortage(offer):
            if offer.is_light:
                text = self._small_said(offer, wanted, picture, options)
            else:
                text = self._said(offer, wanted, picture, options)
        return Description(text, offer.name, "" if text else self._about_nothing(offer, wanted, options))

    def _small_said(self, offer: Offer, wanted: Wanted, picture: Image.Image, options: Options) -> str:
        try:
            tagger = self._small.get(offer.path)
            if tagger is None:
                tagger = self._small[offer.path] = load_small_tagger(offer.path)
            if wanted is Wanted.TAGS:
                return tags_text(tagger.tags(picture), options)
            return tagger.caption(picture, options)
        except torch.OutOfMemoryError:
            raise
        except EaselError as error:
            # Another model, or another file in its place, mends it.
            raise InvalidRequest("model", str(error)) from error
        except MODEL_ERRORS as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise InvalidRequest("model", f"{offer.path} failed on this picture: {reason}") from error

    def _said(self, offer: Offer, wanted: Wanted, picture: Image.Image, options: Options) -> str:
        call = DescribeCall(
            offer.format,
            offer.path,
            wanted,
            picture.size,
            picture.tobytes(),
            options,
            self._policy,
            most_bytes=ROOM + TIMES_ITS_SIZE * _size_of(offer.path),
            seconds=options.interrogate_time_limit,
        )
        with ExitStack() as turn:
            if self._policy.device.type != "cpu":
                turn.enter_context(self._turn())

            def give_back(passed: float) -> None:
                if passed > TURN_SECONDS:
                    turn.close()

            with READINGS.reading(offer.path):
                text = self._process.ask(call, give_back)
        process, names = self._kept
        names = names if process == self._process.process_id else set()
        kept = {offer.name} if options.interrogate_keep_models_in_memory else set()
        self._kept = self._process.process_id, (names | kept if kept else set())
        return text

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


def _size_of(path: Path) -> int:
    """Bytes of a model's file, or of the files of its folder; 0 where that cannot be told."""
    try:
        return sum(each.stat().st_size for each in ([path] if path.is_file() else path.iterdir()))
    except OSError:
        return 0


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
