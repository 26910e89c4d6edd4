"""Making pictures: a request becomes a run, a run becomes pictures."""

from modules.generation.assembly import Assembly
from modules.generation.drawn import Drawn, FileFacts, ModelFacts, ModelFiles, Role
from modules.generation.engine import Engine
from modules.generation.img2img_request import Img2ImgRequest, parse_img2img
from modules.generation.inputs import InputFiles, input_digests, reference_to
from modules.generation.ledger import KeptPicture, Ledger, PictureKey
from modules.generation.order import Kind, Order, PictureKinds, StyleTexts, kind_of, make_order
from modules.generation.record import PictureRecord, PixelFacts, pixel_facts, record_of
from modules.generation.request import PictureRequest, parse_request, sentence_of_errors
from modules.generation.result import GenerationResult
from modules.generation.run import HiresRun, Run, plan_run
from modules.generation.saving import picture_bytes
from modules.generation.surroundings import Surroundings
from modules.generation.txt2img import Receive
from modules.generation.txt2img_request import Txt2ImgRequest, parse_txt2img
from modules.generation.watcher import MadePicture, SilentWatcher, StepReport, Watcher

__all__ = [
    "Assembly",
    "Drawn",
    "Engine",
    "FileFacts",
    "GenerationResult",
    "HiresRun",
    "Img2ImgRequest",
    "InputFiles",
    "KeptPicture",
    "Kind",
    "Ledger",
    "MadePicture",
    "ModelFacts",
    "ModelFiles",
    "Order",
    "PictureKey",
    "PictureKinds",
    "PictureRecord",
    "PictureRequest",
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
    "input_digests",
    "kind_of",
    "make_order",
    "parse_img2img",
    "parse_request",
    "parse_txt2img",
    "picture_bytes",
    "pixel_facts",
    "plan_run",
    "record_of",
    "reference_to",
    "sentence_of_errors",
]
