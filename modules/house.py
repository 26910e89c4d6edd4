"""The one application object: everything that is made once when the program starts, handed to the faces."""

import logging
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from modules.batches import Batches
from modules.errors import NotFound
from modules.extra_networks import Catalogue, Listing, ModelVersion, NetworkKind, ShownRules, Wish, list_cards
from modules.flags import Flags
from modules.folders import Folders
from modules.generation import Engine, Order, PictureKinds, names_of
from modules.interrogation import Interrogation, choose_interrogation_policy
from modules.jobs import Job, JobQueue, QueueRules
from modules.jobs.workers import make_workers
from modules.merging import MergeBench, MergeShelves
from modules.prompts import StyleBook
from modules.readings import READINGS
from modules.settings import SettingsStore
from modules.slow_work import SlowWork
from modules.usable_folders import usable_folders
from modules.workflows import MENU

__all__ = ["House", "make_house"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class House:
    """Flags, folders, settings, styles, the engine that makes pictures, the queue that keeps it busy,
    what describes pictures, and the bench where checkpoints are merged.
    """

    flags: Flags
    folders: Folders
    store: SettingsStore
    styles: StyleBook
    engine: Engine
    queue: JobQueue
    interrogation: Interrogation
    started: float
    batches: Batches = field(init=False)
    networks: Catalogue = field(init=False)
    bench: MergeBench = field(init=False)
    reading: SlowWork = field(init=False)
    """Decodes the pictures that calls give."""
    enlarging: SlowWork = field(init=False)
    """Enlarges finished pictures, one call at a time: large ones take much memory."""

    def __post_init__(self) -> None:
        again = partial(self.order, save=True, is_asked=False)
        batches = Batches(self.folders, self.flags, self.queue, again)
        object.__setattr__(self, "batches", batches)
        networks = Catalogue(self.engine.shelf, self.engine.adapters, self.folders)
        object.__setattr__(self, "networks", networks)
        object.__setattr__(self, "bench", MergeBench(on_done=self.engine.shelf.refresh))
        object.__setattr__(self, "reading", SlowWork("pictures to be read", threads=4, most=200))
        object.__setattr__(self, "enlarging", SlowWork("pictures to be enlarged", threads=1, most=100))
        self.store.on_change(lambda *_: self.queue.tell_of_settings())

    @property
    def merge_shelves(self) -> MergeShelves:
        """Where merges and conversions find what they name."""
        return MergeShelves(
            checkpoints=self.engine.shelf,
            vaes=self.engine.vae_shelf,
            networks=self.engine.adapters.networks,
            folders=self.folders,
        )

    def submit_request(self, request: PictureKinds, client: str = "api", save: bool | None = None) -> Job:
        """Accept a request: made an order, then queued. Raises as `order` and `JobQueue.submit` do."""
        return self.queue.submit(self.order(request, save), request.force_task_id, client)

    def order(self, request: PictureKinds, save: bool | None = None, *, is_asked: bool = True) -> Order:
        """The definite order: settings laid over, or changed where the request says so, seeds drawn, names
        looked up. save: whether pictures are saved; None: as the request says. is_asked: whether a person
        asks for it just now, so that the files that it names are tried even if they ended the program before.

        Raises InvalidRequest for a setting, sampler, checkpoint or style that does not exist.
        """
        if is_asked:
            READINGS.ask_for(names_of(request, request.override_settings or {}))
        if request.override_settings and not request.override_settings_restore_afterwards:
            self.change_settings(request.override_settings)
        options = self.store.for_request(request.override_settings)
        return self.engine.order(request, options, self.styles, save)

    def change_settings(self, values: Mapping[str, Any]) -> None:
        """Change and save settings. Raises InvalidRequest for a wrong value, and then changes nothing."""
        READINGS.ask_for(str(value) for value in values.values() if isinstance(value, str))
        self.store.change(self.engine.named_settings.checked(values, self.store.options))

    def list_networks(self, kind: NetworkKind, wish: Wish, *, anew: bool = False) -> Listing:
        """A page of cards, by the settings and by the checkpoint in use. anew: see `Catalogue.look`."""
        options = self.store.options
        try:
            version = self.networks.version_of(self.engine.checkpoint_of(options))
        except NotFound:
            version = ModelVersion.UNKNOWN
        rules = ShownRules.from_options(options)
        return list_cards(self.networks.look(kind, anew=anew), wish, rules, version)

    def close(self) -> None:
        """Stop the work after its current step; what is unfinished goes on after the next start."""
        self.reading.close()
        self.enlarging.close()
        self.interrogation.close()
        self.bench.close()
        self.batches.close()
        self.queue.close()
        READINGS.close()
        if self.folders.scratch:
            shutil.rmtree(self.folders.scratch, ignore_errors=True)


def make_house(flags: Flags) -> House:
    """Build everything. Nothing heavy is loaded yet, and nobody else is kept from the data folder:
    `house.engine.preload(...)` brings the checkpoint, `house.queue.open()` or its first use opens the queue.

    Raises EaselError for what cannot be used at all: the data folder, the checkpoint or VAE of a flag.
    """
    folders, sentences = usable_folders(Folders.from_flags(flags))
    for sentence in sentences:
        log.warning("%s", sentence)
    store = SettingsStore(folders.config_file, flags)
    engine = Engine(folders, flags, MENU)
    engine.flagged_vae()
    if chosen := engine.flagged_checkpoint():
        # A file whose name another one has, too, is found only where nothing is chosen.
        is_found = engine.shelf.find(chosen.title).path == chosen.path
        store.begin_with({"sd_model_checkpoint": chosen.title if is_found else ""})
    return House(
        flags=flags,
        folders=folders,
        store=store,
        styles=StyleBook(folders.styles_files),
        engine=engine,
        queue=JobQueue(
            folders, lambda: make_workers(flags, engine), lambda: QueueRules.from_options(store.options)
        ),
        interrogation=Interrogation(folders, choose_interrogation_policy(flags), engine.turn),
        started=time.time(),
    )
