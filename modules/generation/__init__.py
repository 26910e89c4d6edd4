"""Making pictures: a request becomes a run, a run becomes pictures."""

from modules.generation.engine import Engine
from modules.generation.request import Txt2ImgRequest, parse_txt2img, sentence_of_errors
from modules.generation.result import GenerationResult
from modules.generation.run import HiresRun, Run, plan_run
from modules.generation.saving import picture_bytes
from modules.generation.watcher import MadePicture, SilentWatcher, StepReport, Watcher

__all__ = [
    "Engine",
    "GenerationResult",
    "HiresRun",
    "MadePicture",
    "Run",
    "SilentWatcher",
    "StepReport",
    "Txt2ImgRequest",
    "Watcher",
    "parse_txt2img",
    "picture_bytes",
    "plan_run",
    "sentence_of_errors",
]
