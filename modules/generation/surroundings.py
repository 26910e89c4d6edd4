"""What decides the bits of a picture besides its order and its files: programs, device, number types."""

import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

import torch

from modules.memory import AttentionKind, DevicePolicy
from modules.version import PROGRAM, VERSION

__all__ = ["Surroundings", "surroundings_of"]

LIBRARIES = ("diffusers", "transformers", "numpy", "pillow")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where and by what a picture was drawn, as far as it can change the picture's bits."""

    program: str
    python: str
    torch: str
    diffusers: str
    transformers: str
    numpy: str
    pillow: str
    device: str
    """As a person names it: "cpu", "NVIDIA H100"."""
    processor: str
    """The instructions that the device's arithmetic is compiled for: "x86_64 AVX512", "CUDA 13.0 sm_90"."""
    dtype: str
    vae_dtype: str
    autocast: bool
    attention: str
    upcast_attention: bool
    tf32: bool
    """Whether matrices or convolutions in float32 may be multiplied with 10 bits of mantissa."""
    threads: int
    """On a processor sums are split among the threads, so that their number decides how they are rounded."""


def surroundings_of(policy: DevicePolicy, attention: AttentionKind, *, upcast: bool) -> Surroundings:
    """The surroundings of what this thread draws now under `policy`."""
    diffusers, transformers, numpy, pillow = _versions()
    on_cuda = policy.device.type == "cuda"
    return Surroundings(
        program=f"{PROGRAM} {VERSION}",
        python=platform.python_version(),
        torch=torch.__version__,
        diffusers=diffusers,
        transformers=transformers,
        numpy=numpy,
        pillow=pillow,
        device=policy.device_name,
        processor=_processor(policy.device),
        dtype=_name(policy.dtype),
        vae_dtype=_name(policy.vae_dtype),
        autocast=policy.autocast,
        attention=attention.value,
        upcast_attention=upcast,
        tf32=on_cuda and (torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32),
        threads=torch.get_num_threads(),
    )


@cache
def _versions() -> tuple[str, ...]:
    return tuple(version(library) for library in LIBRARIES)


def _processor(device: torch.device) -> str:
    if device.type == "cuda":
        major, minor = torch.cuda.get_device_capability(device)
        return f"CUDA {torch.version.cuda or torch.version.hip} sm_{major}{minor}"
    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
