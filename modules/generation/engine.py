"""The engine: the one owner of the loaded models.

It plans runs, loads what they need, and makes their pictures.
"""

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from modules.adapters import AdapterShelves, KnownEmbeddings, known_embeddings
from modules.checkpoints import (
    CheckpointFile,
    CheckpointShelf,
    HashCache,
    Model,
    VaeFile,
    VaeShelf,
    is_checkpoint,
    plan_model,
)
from modules.errors import EaselError, InvalidRequest, NotFound
from modules.flags import Flags
from modules.folders import Folders
from modules.generation.artist import Artist
from modules.generation.assembly import Assembly
from modules.generation.attention import attention_of, chunks_of
from modules.generation.autoencoder import LostNumbers
from modules.generation.canvas import check_pictures, given_pixels
from modules.generation.costs import CostBook
from modules.generation.drawn import ModelFacts
from modules.generation.guard import MemoryGuard
from modules.generation.img2img_request import Img2ImgRequest
from modules.generation.inputs import InputFiles
from modules.generation.ledger import Ledger
from modules.generation.loaded import LoadedModel, ModelChoice
from modules.generation.lost_numbers import blamed
from modules.generation.mode_choice import ModeChoice
from modules.generation.named_settings import NamedSettings
from modules.generation.order import Order, PictureKinds, make_order
from modules.generation.resident_models import Allowance, ResidentModels
from modules.generation.result import GenerationResult
from modules.generation.run import Run, plan_run
from modules.generation.scripts import NoScripts, ScriptMenu
from modules.generation.shortage import explained_shortage
from modules.generation.studio import Studio
from modules.generation.token_counts import TokenCounts
from modules.generation.txt2img import Receive, draw_pictures
from modules.generation.watcher import StepReport, Watcher
from modules.memory import (
    AttentionKind,
    MemoryMode,
    Placement,
    SpinControl,
    attention_scope,
    check_threads,
    choose_policy,
    keep_one_heap,
    lighter,
    modes_matter,
    set_threads,
    threads_scope,
)
from modules.prompts import StyleBook
from modules.readings import READINGS, LeftAlone
from modules.settings import Options

__all__ = ["Engine"]

log = logging.getLogger(__name__)

EMBEDDED_CHECKPOINT = "easel-emoji"

_Choices = Sequence[ModelChoice | None]
"""Of the first pass, the hires pass and the refiner."""


class Engine:
    """Makes pictures with the models that it has in memory.

    Runs and loads are one after another: calls from several threads wait.
    """

    def __init__(self, folders: Folders, flags: Flags, scripts: ScriptMenu | None = None) -> None:
        self.folders, self.flags, self.scripts = folders, flags, scripts or NoScripts()
        keep_one_heap()
        READINGS.open(folders.cache / "readings")
        self._threads = set_threads(flags.threads, flags.workers or 1)
        self._spinning = SpinControl()
        self.policy = choose_policy(flags)
        self._chunks = chunks_of(flags)
        self.inputs = InputFiles(folders.inputs)
        self.hashes = HashCache(folders.cache / "hashes.json", enabled=not flags.no_hashing)
        self.shelf = CheckpointShelf(
            folders, self.hashes, [folders.checkpoint_file] if folders.checkpoint_file else []
        )
        self.vae_shelf = VaeShelf(folders, self.hashes, [folders.vae_file] if folders.vae_file else [])
        book = CostBook(lambda file: plan_model(file, folders.configs, depth=folders.midas), self.policy)
        self.guard = MemoryGuard(book, self.policy, flags.workers or 1)
        self.modes = ModeChoice(flags, self.policy, self.guard)
        self.placement = Placement(self.policy.device)
        self._counts = TokenCounts(folders.configs)
        self.adapters = AdapterShelves(folders, self.hashes)
        self.named_settings = NamedSettings(self.shelf, self.vae_shelf, self.adapters, self.policy.device)
        self._models = ResidentModels(self._load)
        self._lock = threading.Lock()

    @property
    def model(self) -> Model | None:
        """The model that was used last, None before the first."""
        current = self._models.current
        return current.model if current else None

    @property
    def models(self) -> tuple[Model, ...]:
        """All models that are in memory, used last first."""
        return tuple(each.model for each in self._models.all)

    def order(
        self, request: PictureKinds, options: Options, styles: StyleBook, save: bool | None = None
    ) -> Order:
        """A definite order. Raises NotFound or InvalidRequest for a name that does not exist (sampler, model,
        style), NotEnoughMemory for what cannot fit.
        """
        options, notes = self.named_settings.usable(
            options, request.override_settings, over_picture=isinstance(request, Img2ImgRequest)
        )
        checkpoint = self.checkpoint_of(options)
        _refuse_left_alone(checkpoint)
        if self.shelf.find(checkpoint.title).path == checkpoint.path:
            # The job may run after a restart: what is the first checkpoint today need not be it tomorrow.
            options = options.overridden({"sd_model_checkpoint": checkpoint.title})
        given = self.inputs.brought_back(request) if isinstance(request, Img2ImgRequest) else None
        planned = self.scripts.plan(given or request)
        request = request.model_copy(update=dict(planned.changes))
        order = make_order(request, options, styles, save, self._threads_for(options), planned.plan)
        self._vae_of(options, checkpoint)
        pixels, attention = given_pixels(given) if given else 0, self._attention(options)
        strips = self.guard.strips(plan_run(order), checkpoint, attention, pixels)
        order = order.model_copy(update={"vae_strips": strips, "notes": notes})
        run = plan_run(order)
        self.guard.check(run, checkpoint, attention, pixels)
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
        """The checkpoint that `options` names, else that of `--ckpt`, else the first file that is one; our
        own last.
        """
        if options.sd_model_checkpoint:
            return self.shelf.find(options.sd_model_checkpoint)
        files = self.shelf.list()
        if given := self.flagged_checkpoint():
            return given
        if not files:
            raise NotFound(
                f"There is no checkpoint. Put a .safetensors file into {self.folders.checkpoints[0]} "
                "and press the refresh button."
            )
        files.sort(key=lambda file: file.stem == EMBEDDED_CHECKPOINT)
        allowed = [file for file in files if not READINGS.is_left_alone(file.path)] or files
        return next((file for file in allowed if is_checkpoint(file.path)), allowed[0])

    def flagged_checkpoint(self) -> CheckpointFile | None:
        """The checkpoint of `--ckpt`. Raises NotFound where the file is none, so that no other one draws."""
        path = self.folders.checkpoint_file
        if path is None:
            return None
        for file in self.shelf.list():
            if file.path == path:
                return file
        raise NotFound(f"--ckpt: {_why_not_used(path, 'checkpoint')} Mend the path, or leave --ckpt out.")

    def flagged_vae(self) -> VaeFile | None:
        """The VAE of `--vae-path`, which all checkpoints draw with. Raises NotFound where it is none."""
        path = self.folders.vae_file
        if path is None:
            return None
        for file in self.vae_shelf.list():
            if file.path == path:
                return file
        raise NotFound(f"--vae-path: {_why_not_used(path, 'VAE')} Mend the path, or leave --vae-path out.")

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
        loaded = self._models.current
        lookup = loaded.wardrobe.embeddings.lookups()[0] if loaded else None
        return self._counts.count(text, options, self.model, lookup, negative=negative)

    def embeddings(self) -> KnownEmbeddings:
        """The textual inversions that the loaded model can read, and the others: without a model all."""
        loaded = self._models.current
        return known_embeddings(self.adapters.embeddings, loaded.wardrobe.embeddings if loaded else None)

    def embedding_refusal(self, name: str) -> str:
        """Why the loaded model reads the textual inversion `name` as plain words; empty if it can read it, or
        before a model is loaded.
        """
        loaded, file = self._models.current, self.adapters.embeddings.find(name)
        return loaded.wardrobe.embeddings.refusal(file) if loaded and file else ""

    def preload(self, options: Options) -> None:
        """Bring the checkpoint of `options` into memory before it is needed.

        Raises EaselError with the reason it cannot be.
        """
        options, _ = self.named_settings.usable(options)
        choice = self._choice(options)
        with self._lock, self.placement.drawing(self.modes.wanted([choice.checkpoint])):
            self._models.bring(choice, Allowance.of(options), say=log.info)

    def unload(self) -> None:
        """Free the memory of all models once the running batch is done; the next run loads them again."""
        with self._lock:
            self._models.clear()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """While it lasts nothing is drawn or loaded here: for other work that needs the device's memory."""
        with self._lock:
            yield

    def draw(
        self,
        run: Run,
        pictures: Collection[int],
        watcher: Watcher,
        receive: Receive,
        mode: MemoryMode | None = None,
    ) -> ModelFacts:
        """Draw `pictures` (0-based) of `run`; `receive` is handed each the moment it exists.

        mode: the memory mode; without it that of the flags, or a lighter one if need be. No mode changes a
        bit. A checkpoint that cannot be loaded leaves the one before it in place.
        """
        attention = self._attention(run.options)
        with self._lock:
            try:
                choices = self._choices(run)
                mode = mode or self._mode_of(run, choices, attention, watcher)
                with self.placement.drawing(mode):
                    studio = self._studio(run, choices, attention, watcher)
                    with (
                        explained_shortage(run),
                        self.policy.precision_scope(),
                        attention_scope(attention),
                        threads_scope(run.order.threads),
                        self._spinning.drawing(),
                    ):
                        facts = self._drawn(run, pictures, studio, watcher, receive)
                    del studio
            finally:
                self._models.settle(Allowance.of(run.options))
            self.guard.rested(self.models)
        return facts

    def make(
        self, run: Run, watcher: Watcher, ledger: Ledger | None = None, mode: MemoryMode | None = None
    ) -> GenerationResult:
        """Make the pictures of `run` here: each is saved as soon as it is drawn.

        When the watcher wants to stop, what is made so far is the result. A picture that cannot be saved is
        part of it too, with the reason.
        """
        assembly = Assembly(run, self.folders, watcher, ledger)
        assembly.announce_kept()
        assembly.knows(self.draw(run, assembly.missing(), watcher, assembly.receive, mode))
        return assembly.finish()

    def _vae_of(self, options: Options, checkpoint: CheckpointFile) -> VaeFile | None:
        return self.flagged_vae() or self.vae_shelf.choose(options.sd_vae, checkpoint)

    def _choice(self, options: Options, checkpoint: CheckpointFile | None = None) -> ModelChoice:
        """`checkpoint`, else that of `options`, as `options` want it in memory."""
        checkpoint = checkpoint or self.checkpoint_of(options)
        policy = choose_policy(self.flags, vae_bfloat16=options.auto_vae_precision_bfloat16)
        vae, exact_copies = self._vae_of(options, checkpoint), options.cache_fp16_weight
        return ModelChoice(checkpoint, vae, policy, options.fp8_storage, exact_copies)

    def _load(self, choice: ModelChoice, let_go: Callable[[], None]) -> LoadedModel:
        """A model from its files; `let_go` is called once they are known to be good.

        Raises InvalidRequest for a file that cannot be loaded: another choice mends it.
        """
        try:
            with plan_model(
                choice.checkpoint,
                self.folders.configs,
                choice.vae,
                depth=self.folders.midas,
            ) as plan:
                let_go()
                model = plan.load(choice.policy, choice.kept(plan.family), self.placement)
        except EaselError as error:
            raise InvalidRequest("sd_model_checkpoint", str(error)) from error
        choice.checkpoint.hash_later()
        return LoadedModel(model, self.adapters, self._chunks)

    def _threads_for(self, options: Options) -> int | None:
        """On a processor the number of threads decides how sums are rounded: whoever draws uses the same."""
        if self.policy.device.type != "cpu":
            return None
        if options.cpu_threads:
            check_threads(
                options.cpu_threads, "cpu_threads", 'The setting "Threads that draw on a processor",'
            )
        return options.cpu_threads or self._threads

    def _attention(self, options: Options) -> AttentionKind:
        return attention_of(options, self.flags, self.policy.device)

    def _choices(self, run: Run) -> _Choices:
        """The models of `run`: of the first pass, and if it has them of the hires pass and the refiner."""
        names = (run.hires.checkpoint if run.hires else None, run.refiner.checkpoint if run.refiner else None)
        others = (self._choice(run.options, self.shelf.find(name)) if name else None for name in names)
        return [self._choice(run.options), *others]

    def _mode_of(self, run: Run, choices: _Choices, attention: AttentionKind, watcher: Watcher) -> MemoryMode:
        checkpoints = [choice.checkpoint for choice in choices if choice]
        return self.modes.choose(run, checkpoints, attention, _given_pixels(run), watcher.on_note)

    def _studio(self, run: Run, choices: _Choices, attention: AttentionKind, watcher: Watcher) -> Studio:
        """Who draws `run`, brought into memory. Models that are only kept make room for it."""

        def say(stage: str) -> None:
            watcher.on_step(StepReport(0, run.steps_in_all, 0, len(run.groups), stage))

        allowance = Allowance.of(run.options)
        if allowance.total > 1:
            self._make_room(run, attention, [choice for choice in choices if choice])
        in_use: list[LoadedModel] = []

        def artist(choice: ModelChoice) -> Artist:
            loaded = self._models.bring(choice, allowance, in_use, say)
            if loaded not in in_use:
                in_use.append(loaded)
            return loaded.artist(run.options, attention)

        first, second, refiner = (artist(choice) if choice else None for choice in choices)
        assert first is not None, "there is always a checkpoint of the first pass"
        return Studio(first, second or first, refiner, self.scripts, self._lighten)

    def _drawn(
        self, run: Run, pictures: Collection[int], studio: Studio, watcher: Watcher, receive: Receive
    ) -> ModelFacts:
        try:
            return draw_pictures(run, pictures, studio, watcher, receive)
        except LostNumbers as error:
            raise blamed(error, run, studio.first.model) from error

    def _lighten(self) -> MemoryMode | None:
        """Have what is drawn go on in the next lighter mode, where one saves memory."""
        mode = lighter(self.placement.mode) if modes_matter(self.policy.device) else None
        if mode:
            self.placement.lighten(mode)
            for loaded in self._models.all:
                loaded.wake()
        return mode

    def _make_room(self, run: Run, attention: AttentionKind, choices: Sequence[ModelChoice]) -> None:
        """Let models go that are only kept, as far as `run` needs their memory."""
        wanted = [choice.checkpoint for choice in choices]
        paths = {checkpoint.path for checkpoint in wanted}
        if all(each.model.checkpoint.path in paths for each in self._models.all):
            return
        # A file that cannot be loaded is refused when it is opened.
        with suppress(EaselError):
            spare = self.guard.spare(run, wanted, attention, _given_pixels(run), self.placement.mode)
            if spare is not None:
                self._models.keep_at_most(spare, paths)


def _refuse_left_alone(checkpoint: CheckpointFile) -> None:
    """Raises InvalidRequest for a checkpoint that ended the program when it was read last."""
    try:
        READINGS.refuse(checkpoint.path)
    except LeftAlone as error:
        raise InvalidRequest("sd_model_checkpoint", str(error)) from error


def _given_pixels(run: Run) -> int:
    """Of the pictures that `run` starts from."""
    return given_pixels(run.request) if isinstance(run.request, Img2ImgRequest) else 0


def _why_not_used(path: Path, kind: str) -> str:
    if not path.exists():
        return f"there is no file {path}."
    if not path.is_file():
        return f"{path} is no file."
    return f"{path} is not named as a {kind} is."
