"""Making pictures: a request becomes a run, a run becomes pictures."""

from modules.generation.assembly import Assembly
from modules.generation.drawn import Drawn, FileFacts, ModelFacts, ModelFiles, Role
from modules.generation.engine import Engine
from modules.generation.ledger import KeptPicture, Ledger, PictureKey
from modules.generation.order import Order, StyleTexts, make_order
from modules.generation.record import PictureRecord, PixelFacts, pixel_facts, record_of
from modules.generation.request import Txt2ImgRequest, parse_txt2img, sentence_of_errors
from modules.generation.result import GenerationResult
from modules.generation.run import HiresRun, Run, plan_run
from modules.generation.saving import picture_bytes
from modules.generation.surroundings import Surroundings
from modules.generation.txt2img import Receive
from modules.generation.watcher import MadePicture, SilentWatcher, StepReport, Watcher

__all__ = [
    "Assembly",
    "Drawn",
    "Engine",
    "FileFacts",
    "GenerationResult",
    "HiresRun",
    "KeptPicture",
    "Ledger",
    "MadePicture",
    "ModelFacts",
    "ModelFiles",
    "Order",
    "PictureKey",
    "PictureRecord",
    "PixelFacts",
    "Receive",
    "Role",
    "Run",
    "SilentWatcher",
    "StepReport",
    "StyleTexts",
    "Surroundings",
    "Txt2ImgRequest",
    "Watcher",
    "make_order",
    "parse_txt2img",
    "picture_bytes",
    "pixel_facts",
    "plan_run",
    "record_of",
    "sentence_of_errors",
]
