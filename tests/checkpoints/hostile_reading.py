"""Lets everybody who reads files of models read those that were made to harm, and measures what it costs.

python hostile_reading.py FOLDER     prints a line of JSON for each, see `Outcome`
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hostile_files import LARGE, PICTURES, SAFETENSORS, TORCH, TREES, YAML, Make


@dataclass(frozen=True)
class Outcome:
    """What became of one file: the error's kind and sentence, processor seconds, MB of memory at most."""

    case: str
    reader: str
    kind: str
    sentence: str
    seconds: float
    megabytes: float


def readers() -> dict[str, tuple[str, dict[str, Make], Callable[[Path], Any]]]:
    """Who reads such files: the ending, the files, the function."""
    from modules.adapters import read_embedding
    from modules.adapters.hypernetworks import read_hypernetwork
    from modules.adapters.network import read_network
    from modules.checkpoints import open_tensors, read_text_lists
    from modules.checkpoints.ldm_config import read_ldm_config
    from modules.checkpoints.opened import open_checkpoint

    def whole(path: Path) -> None:
        with open_checkpoint(path):
            pass

    def network(path: Path) -> None:
        read_network(path, None, {})  # type: ignore[arg-type]

    return {
        "checkpoint": (".ckpt", TORCH | LARGE, open_tensors),
        "VAE": (".vae.pt", TORCH, whole),
        "LoRA": (".pt", TORCH, network),
        "embedding": (".pt", TORCH | TREES, read_embedding),
        "embedding of diffusers": (".bin", TORCH | TREES, read_embedding),
        "hypernetwork": (".pt", TORCH | TREES, read_hypernetwork),
        "tagger": (".pt", TORCH, read_text_lists),
        "picture": (".png", PICTURES, read_embedding),
        "safetensors checkpoint": (".safetensors", SAFETENSORS, open_tensors),
        "safetensors LoRA": (".safetensors", SAFETENSORS, network),
        "safetensors embedding": (".safetensors", SAFETENSORS, read_embedding),
        "configuration": (".yaml", YAML, read_ldm_config),
    }


def outcomes(folder: Path) -> Iterator[Outcome]:
    """Let every reader read every file that it might meet."""
    for reader, (ending, cases, read) in readers().items():
        for case, make in cases.items():
            path = folder / f"evil{ending}"
            path.write_bytes(make())
            yield measured(case, reader, path, read)
            path.unlink()


def measured(case: str, reader: str, path: Path, read: Callable[[Path], Any]) -> Outcome:
    """Let `read` read `path`."""
    # Linux forgets the highest use of memory so far.
    Path("/proc/self/clear_refs").write_text("5")
    before, started = memory("VmRSS"), time.process_time()
    try:
        kind, sentence = "nothing", repr(read(path))
    except Exception as error:  # noqa: BLE001 - the kind is what is measured
        kind, sentence = type(error).__name__, str(error)
    seconds = time.process_time() - started
    return Outcome(case, reader, kind, sentence, seconds, memory("VmHWM") - before)


def memory(name: str) -> float:
    """MB of this process."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    for outcome in outcomes(Path(sys.argv[1])):
        sys.stdout.write(json.dumps(asdict(outcome)) + "\n")
