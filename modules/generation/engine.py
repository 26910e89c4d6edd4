"""The engine: the one owner of the loaded model.

It plans runs, loads what they need, and makes their pictures.
"""

import gc
import logging
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import torch

from modules.adapters import AdapterShelves, KnownEmbeddings, known_embeddings
from modules.checkpoints import (
    CheckpointFile,
    CheckpointShelf,
    HashCache,
    Model,
    VaeFile,
    VaeShelf,
    plan_model,
)
from modules.errors import EaselError, InvalidRequest, NotFound
from modules.flags import Flags
from modules.folders import Folders
from modules.generation.artist import Artist
from modules.generation.assembly import Assembly
from modules.generation.attention import attention_of
from modules.generation.canvas import check_pictures, given_pixels
from modules.generation.costs import CostBook
from modules.generation.drawn import ModelFacts
from modules.generation.guard import MemoryGuard
from modules.generation.img2img_request import Img2ImgRequest
from modules.generation.inputs import InputFiles
from modules.generation.ledger import Ledger
from modules.generation.loaded import LoadedModel
from modules.generation.order import Order, PictureKinds, make_order
from modules.generation.result import GenerationResult
from modules.generation.run import Run, plan_run
from modules.generation.scripts import NoScripts, ScriptMenu
from modules.generation.shortage import explained_shortage
from modules.generation.token_counts import TokenCounts
from modules.generation.txt2img import Receive, Studio, draw_pictures
from modules.generation.watcher import StepReport, Watcher
from modules.memory import (
    AttentionKind,
    attention_scope,
    choose_policy,
    set_threads,
    threads_scope,
)
from modules.prompts import StyleBook
from modules.settings import Options

__all__ = ["Engine"]

log = logging.getLogger(__name__)

EMBEDDED_CHECKPOINT = "easel-emoji"


class Engine:
    """Makes pictures with one loaded model at a time.

    Runs and loads are one after another: calls from several threads wait.
    """

    def __init__(self, folders: Folders, flags: Flags, scripts: ScriptMenu | None = None) -> None:
        self.folders, self.flags, self.scripts = folders, flags, scripts or NoScripts()
        set_threads(workers=flags.workers or 1)
        self.policy = choose_policy(flags)
        self.inputs = InputFiles(folders.inputs)
        self.hashes = HashCache(folders.cache / "hashes.json", enabled=not flags.no_hashing)
        self.shelf = CheckpointShelf(
            folders, self.hashes, [folders.checkpoint_file] if folders.checkpoint_file else []
        )
        self.vae_shelf = VaeShelf(folders, self.hashes, [folders.vae_file] if folders.vae_file else [])
        book = CostBook(lambda file: plan_model(file, folders.configs), self.policy)
        self.guard = MemoryGuard(book, self.policy, flags.workers or 1)
        self._counts = TokenCounts(folders.configs)
        self.adapters = AdapterShelves(folders, self.hashes)
        self._loaded: LoadedModel | None = None
        self._lock = threading.Lock()

    @property
    def model(self) -> Model | None:
        """The model in memory, None before the first."""
        return self._loaded.model if self._loaded else None

    def order(
        self, request: PictureKinds, options: Options, styles: StyleBook, save: bool | None = None
    ) -> Order:
        """A definite order. Raises NotFound or InvalidRequest for a name that does not exist (sampler, model,
        style), NotEnoughMemory for what cannot fit.
        """
        # On a processor the number of threads decides how sums are rounded: whoever draws uses the same.
        threads = torch.get_num_threads() if self.policy.device.type == "cpu" else None
        checkpoint = self.checkpoint_of(options)
        if self.shelf.find(checkpoint.title).path == checkpoint.path:
            # The job may run after a restart: what is the first checkpoint today need not be it tomorrow.
            options = options.overridden({"sd_model_checkpoint": checkpoint.title})
        given = self.inputs.brought_back(request) if isinstance(request, Img2ImgRequest) else None
        planned = self.scripts.plan(given or request)
        request = request.model_copy(update=dict(planned.changes))
        order = make_order(request, options, styles, save, threads, planned.plan)
        run = plan_run(order)
        self._vae_of(options, checkpoint)
        pixels = given_pixels(given) if given else 0
        self.guard.check(run, checkpoint, attention_of(options, self.flags), pixels)
        if given:
            check_pictures(given)
        for other in run.other_checkpoints:
            self.shelf.find(other)
        return order

    def plan(
        self, request: PictureKinds, options: Options, styles: StyleBook, save: bool | None = None
    ) -> Run:
        """The run of such an order."""
        return plan_run(self.order(request, options, styles, save))

    def checkpoint_of(self, options: Options) -> CheckpointFile:
        """The checkpoint that `options` names, else that of `--ckpt`, else the first; our own last."""
        if options.sd_model_checkpoint:
            return self.shelf.find(options.sd_model_checkpoint)
        files = self.shelf.list()
        if given := [file for file in files if file.path == self.folders.checkpoint_file]:
            return given[0]
        if not files:
            raise NotFound(
                f"There is no checkpoint. Put a .safetensors file into {self.folders.checkpoints[0]} "
                "and press the refresh button."
            )
        return min(files, key=lambda file: file.stem == EMBEDDED_CHECKPOINT)

    def native_size(self, options: Options) -> tuple[int, int]:
        """Width and height in pixels that the checkpoint of `options` was trained at, as its file says; else
        512x512.
        """
        try:
            stated = self.checkpoint_of(options).metadata.get("modelspec.resolution", "")
        except NotFound:
            stated = ""
        width, _, height = stated.partition("x")
        return (int(width), int(height)) if width.isdecimal() and height.isdecimal() else (512, 512)

    def count_tokens(self, text: str, options: Options, *, negative: bool = False) -> tuple[int, int]:
        """Tokens that `text` uses and the limit of its chunks, (12, 75), whether or not a model is loaded."""
        loaded = self._loaded
        lookup = loaded.wardrobe.embeddings.lookups()[0] if loaded else None
        return self._counts.count(text, options, self.model, lookup, negative=negative)

    def embeddings(self) -> KnownEmbeddings:
        """The textual inversions that the loaded model can read, and the others: without a model all."""
        loaded = self._loaded
        return known_embeddings(self.adapters.embeddings, loaded.wardrobe.embeddings if loaded else None)

    def preload(self, options: Options) -> None:
        """Bring the checkpoint of `options` into memory before it is needed.

        Raises EaselError with the reason it cannot be.
        """
        with self._lock:
            self._ready(options, say=log.info)

    def unload(self) -> None:
        """Free the model's memory once the running batch is done; the next run loads it again."""
        with self._lock:
            self._let_go()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """While it lasts nothing is drawn or loaded here: for other work that needs the device's memory."""
        with self._lock:
            yield

    def draw(self, run: Run, pictures: Collection[int], watcher: Watcher, receive: Receive) -> ModelFacts:
        """Draw `pictures` (0-based) of `run`; `receive` is handed each the moment it exists.

        A checkpoint that cannot be loaded leaves the one before it in place.
        """
        attention = attention_of(run.options, self.flags)
        with self._lock:
            studio = self._studio(run, attention, watcher)
            with (
                explained_shortage(run),
                self.policy.precision_scope(),
                attention_scope(attention),
                threads_scope(run.order.threads),
            ):
                facts = draw_pictures(run, pictures, studio, watcher, receive)
            self.guard.rested(studio.first.model)
        return facts

    def make(self, run: Run, watcher: Watcher, ledger: Ledger | None = None) -> GenerationResult:
        """Make the pictures of `run` here: each is saved as soon as it is drawn.

        When the watcher wants to stop, what is made so far is the result. A picture that cannot be saved is
        part of it too, with the reason.
        """
        assembly = Assembly(run, self.folders, watcher, ledger)
        assembly.announce_kept()
        assembly.knows(self.draw(run, assembly.missing(), watcher, assembly.receive))
        return assembly.finish()

    def _vae_of(self, options: Options, checkpoint: CheckpointFile) -> VaeFile | None:
        return self.vae_shelf.choose(options.sd_vae, checkpoint)

    def _ready(self, options: Options, say: Callable[[str], None]) -> LoadedModel:
        """The model that `options` asks for, loaded if it is another one than before."""
        checkpoint = self.checkpoint_of(options)
        vae = self._vae_of(options, checkpoint)
        if self._loaded and self._loaded.model.checkpoint.path == checkpoint.path:
            if self._loaded.model.vae_file != vae:
                say(f"Loading {vae.name if vae else 'the VAE of the checkpoint'}")
                self._loaded = self._loaded.with_vae(vae)
            return self._loaded
        say(f"Loading {checkpoint.name}")
        self._loaded = self._load(checkpoint, vae, options, let_go=self._let_go)
        return self._loaded

    def _let_go(self) -> None:
        """Free the loaded model before the next is read, so that memory holds one at a time."""
        self._loaded = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _load(
        self,
        checkpoint: CheckpointFile,
        vae: VaeFile | None,
        options: Options,
        let_go: Callable[[], None] = lambda: None,
    ) -> LoadedModel:
        """A model from its files; `let_go` is called once they are known to be good.

        Raises InvalidRequest for a file that cannot be loaded: another choice mends it.
        """
        policy = choose_policy(self.flags, vae_bfloat16=options.auto_vae_precision_bfloat16)
        try:
            with plan_model(checkpoint, self.folders.configs, vae) as plan:
                let_go()
                loaded = LoadedModel(plan.load(policy), self.adapters)
        except EaselError as error:
            raise InvalidRequest("sd_model_checkpoint", str(error)) from error
        checkpoint.hash_later()
        return loaded

    def _studio(self, run: Run, attention: AttentionKind, watcher: Watcher) -> Studio:
        def say(stage: str) -> None:
            watcher.on_step(StepReport(0, run.steps_in_all, 0, len(run.groups), stage))

        loaded = [self._ready(run.options, say)]

        def artist(name: str | None) -> Artist | None:
            if not name:
                return None
            checkpoint = self.shelf.find(name)
            vae = self._vae_of(run.options, checkpoint)
            found = next((each for each in loaded if each.is_from(checkpoint, vae)), None)
            if found is None:
                loaded.append(found := self._load(checkpoint, vae, run.options))
            return found.artist(run.options, attention)

        own = loaded[0].artist(run.options, attention)
        return Studio(
            first=own,
            second=artist(run.hires.checkpoint if run.hires else None) or own,
            refiner=artist(run.refiner.checkpoint if run.refiner else None),
            scripts=self.scripts,
        )
