"""What runs in the process of foreign describing models: it loads one, asks it, and sends what it says.

Whatever goes wrong here is a sentence for the parent. Limits of memory and processor time are set for each
call; the parent ends the process that passes them or takes too long.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import torch
from PIL import Image

from modules.errors import EaselError, InvalidRequest
from modules.interrogation.offers import Format, Wanted
from modules.interrogation.tags import tags_text
from modules.memory import DevicePolicy
from modules.settings import Options

__all__ = ["READY", "DescribeCall", "serve"]

log = logging.getLogger(__name__)

READY = b'{"ready": true}'
FIRST_TO_GO = "1000"
"""For Linux's killer of processes when memory runs out: this one before any other."""
NICER = 5
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class DescribeCall:
    """A picture and who is asked about it, and within which bounds."""

    format: Format
    path: Path
    wanted: Wanted
    size: tuple[int, int]
    pixels: bytes
    """RGB, row by row."""
    options: Options
    policy: DevicePolicy
    most_bytes: int
    """Of memory, beyond what the process has before."""
    seconds: float

    @property
    def image(self) -> Image.Image:
        """The picture."""
        return Image.frombytes("RGB", self.size, self.pixels)


def serve(connection: Connection) -> None:
    """Answer what comes through `connection`, in JSON, until the other end is closed."""
    # Ctrl-C goes to all processes of a terminal; when this one ends is the program's business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    _stand_back()
    threading.Thread(target=_end_with_parent, name="easel-parent", daemon=True).start()
    kept: dict[Path, Any] = {}
    connection.send_bytes(READY)
    while True:
        try:
            call: DescribeCall = connection.recv()
            connection.send_bytes(json.dumps(_answer(call, kept)).encode())
        except (EOFError, OSError):
            return


def _stand_back() -> None:
    """Drawing goes before describing, and this process goes first where memory runs out."""
    if hasattr(os, "nice"):
        os.nice(NICER)
    try:
        Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO)
    except OSError:
        log.debug("This system knows no order in which processes go when memory runs out.")


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
    os._exit(0)


def _answer(call: DescribeCall, kept: dict[Path, Any]) -> dict[str, str]:
    _limit(call)
    try:
        return {"text": _said(call, kept)}
    except InvalidRequest as error:
        return {"error": str(error), "field": error.field}
    except EaselError as error:
        return {"error": str(error), "field": "model"}
    except (MemoryError, torch.OutOfMemoryError):
        return {"shortage": "memory"}
    except BaseException as error:
        log.warning("%s failed", call.path, exc_info=True)
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:LONGEST_REASON]
        if "allocate memory" in reason or "bad_alloc" in reason:
            return {"shortage": "memory"}
        return {"error": f"{call.path} failed on this picture: {reason}", "field": "model"}
    finally:
        if not call.options.interrogate_keep_models_in_memory:
            kept.clear()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()


def _said(call: DescribeCall, kept: dict[Path, Any]) -> str:
    describer = kept.get(call.path)
    if describer is None:
        describer = kept[call.path] = _load(call)
    if call.wanted is Wanted.TAGS:
        return tags_text(describer.tags(call.image), call.options)
    return str(describer.caption(call.image, call.options))


def _load(call: DescribeCall) -> Any:
    """The describer for the format. Imports happen here: a tagger needs no library of captioners."""
    if call.format is Format.CAPTIONER:
        from modules.interrogation.captioner import load_captioner

        return load_captioner(call.path, call.policy)
    if call.format is Format.ONNX:
        from modules.interrogation.onnx_tagger import load_onnx_tagger

        return load_onnx_tagger(call.path, on_gpu=call.policy.device.type == "cuda")
    from modules.interrogation.residual_tagger import load_residual_tagger

    return load_residual_tagger(call.path, call.policy)


def _limit(call: DescribeCall) -> None:
    """Let the system hold the bounds, where it can: the parent's watch stands in elsewhere (Windows), and
    for memory where a card's driver reserves addresses without end.
    """
    try:
        import resource
    except ImportError:
        return
    process = psutil.Process()
    times = process.cpu_times()
    # In case that nobody watches any more.
    seconds = int(times.user + times.system + call.seconds * (os.cpu_count() or 1)) + 5
    _set_soft(resource, resource.RLIMIT_CPU, seconds)
    if call.policy.device.type == "cpu":
        _set_soft(resource, resource.RLIMIT_AS, process.memory_info().vms + call.most_bytes)


def _set_soft(resource: ModuleType, what: int, wanted: int) -> None:
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
