"""Making pictures: a request becomes a run, a run becomes pictures."""

from modules.generation.assembly import Assembly
from modules.generation.canvas import StartPictures, first_size, refuse_empty_mask
from modules.generation.drawn import Drawn, FileFacts, ModelFacts, ModelFiles, Role
from modules.generation.engine import Engine
from modules.generation.extra_fields import mask_fields
from modules.generation.img2img_request import Img2ImgRequest, MaskedContent, parse_img2img
from modules.generation.inputs import InputFiles, input_digests, reference_to
from modules.generation.ledger import KeptPicture, Ledger, PictureKey
from modules.generation.named_files import names_of
from modules.generation.order import Kind, Order, PictureKinds, StyleTexts, kind_of, make_order
from modules.generation.record import PictureRecord, PixelFacts, Recorder, pixel_facts
from modules.generation.request import LARGEST_SIDE, PictureRequest, parse_request, sentence_of_errors
from modules.generation.result import GenerationResult
from modules.generation.run import HiresRun, Run, plan_run
from modules.generation.saving import picture_bytes
from modules.generation.script_group import ScriptGroup
from modules.generation.script_plan import Planned, ScriptPlan
from modules.generation.scripts import ScriptMenu
from modules.generation.surroundings import Surroundings
from modules.generation.txt2img import Receive
from modules.generation.txt2img_request import Txt2ImgRequest, parse_txt2img
from modules.generation.watcher import MadePicture, SilentWatcher, StepReport, Watcher

__all__ = [
    "LARGEST_SIDE",
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
    "MaskedContent",
    "ModelFacts",
    "ModelFiles",
    "Order",
    "PictureKey",
    "PictureKinds",
    "PictureRecord",
    "PictureRequest",
    "PixelFacts",
    "Planned",
    "Receive",
    "Recorder",
    "Role",
    "Run",
    "ScriptGroup",
    "ScriptMenu",
    "ScriptPlan",
    "SilentWatcher",
    "StartPictures",
    "StepReport",
    "StyleTexts",
    "Surroundings",
    "Txt2ImgRequest",
    "Watcher",
    "first_size",
    "input_digests",
    "kind_of",
    "make_order",
    "mask_fields",
    "names_of",
    "parse_img2img",
    "parse_request",
    "parse_txt2img",
    "picture_bytes",
    "pixel_facts",
    "plan_run",
    "reference_to",
    "refuse_empty_mask",
    "sentence_of_errors",
]
