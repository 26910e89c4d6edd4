"""The device policy: where the model lives and in which number types it computes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import torch
from torch import Tensor

from modules.errors import InvalidRequest

__all__ = ["DeviceFlags", "DevicePolicy", "Precision", "choose_policy"]

CPU_PARTS = {"all", "sd", "stable-diffusion", "stable_diffusion"}


class Precision(StrEnum):
    """The flag `--precision`."""

    FULL = "full"
    """Everything in float32."""
    AUTOCAST = "autocast"
    """Narrow weights; operations that need it run in float32."""
    HALF = "half"
    """Narrow weights and narrow operations throughout."""


class DeviceFlags(Protocol):
    """The flags of the command line that decide about device and number types."""

    @property
    def no_half(self) -> bool: ...
    @property
    def no_half_vae(self) -> bool: ...
    @property
    def precision(self) -> str: ...
    @property
    def upcast_sampling(self) -> bool: ...
    @property
    def use_cpu(self) -> Sequence[str]: ...
    @property
    def use_ipex(self) -> bool: ...
    @property
    def device_id(self) -> str | None: ...
    @property
    def disable_nan_check(self) -> bool: ...
    @property
    def opt_channelslast(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class DevicePolicy:
    """Where the model lives and in which types it computes. Latents of the sampler are always float32."""

    device: torch.device
    dtype: torch.dtype
    """Weights and activations of the UNet and the text towers."""
    vae_dtype: torch.dtype
    autocast: bool = False
    """Whether operations that lose too much in `dtype` run in float32."""
    upcast_sampling: bool = False
    """Whether attention is computed in float32 although the weights are narrow."""
    checks_numbers: bool = True
    """Whether pictures are looked through for numbers that are none."""
    channels_last: bool = False
    """Whether the UNet's four-dimensional weights, and what is computed on any device, lie with the channels
    last.
    """
    keeps_file_types: bool = False
    """Whether weights that a file holds in fewer bits stay so in memory and are made wide as they compute."""

    @property
    def device_name(self) -> str:
        """The device as a person names it: "NVIDIA H100", "cpu"."""
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return str(self.device)

    def laid_out(self, tensor: Tensor) -> Tensor:
        """`tensor` (N, C, H, W) with its axes in memory in the order in which convolutions are fastest: on
        processors the channels last, for oneDNN copies into that order what lies otherwise (a VAE then takes
        four fifths of the time and of the memory: measured with torch 2.14), elsewhere as the policy says.
        """
        last = self.channels_last or self.device.type == "cpu"
        return tensor.to(memory_format=torch.channels_last) if last else tensor

    @contextmanager
    def precision_scope(self) -> Iterator[None]:
        """Wraps the network's work: torch's autocast where the policy asks for it, nothing elsewhere."""
        if not self.autocast:
            yield
            return
        with torch.autocast(self.device.type, dtype=self.dtype):
            yield


def choose_policy(flags: DeviceFlags, *, vae_bfloat16: bool = False) -> DevicePolicy:
    """The policy for the best device here, as the flags allow it.

    vae_bfloat16: the setting `auto_vae_precision_bfloat16`: a narrow VAE computes in bfloat16, which cannot
    overflow as float16 does. Raises InvalidRequest for a device or a precision that does not exist.
    """
    precision = _precision(flags.precision)
    device = _choose_device(flags)
    dtype = _dtype(device, precision, flags.no_half)
    return DevicePolicy(
        device=device,
        dtype=dtype,
        vae_dtype=_vae_dtype(device, dtype, flags.no_half_vae, vae_bfloat16),
        autocast=precision is Precision.AUTOCAST and device.type == "cuda" and dtype != torch.float32,
        upcast_sampling=dtype != torch.float32 and (flags.upcast_sampling or device.type == "mps"),
        checks_numbers=not flags.disable_nan_check,
        channels_last=flags.opt_channelslast,
        keeps_file_types=device.type == "cpu"
        and dtype == torch.float32
        and precision is not Precision.FULL
        and not flags.no_half,
    )


def _precision(text: str) -> Precision:
    try:
        return Precision(text)
    except ValueError:
        known = ", ".join(Precision)
        raise InvalidRequest(
            "precision", f"--precision {text} is not known; choose one of {known}."
        ) from None


def _choose_device(flags: DeviceFlags) -> torch.device:
    if CPU_PARTS & {part.lower() for part in flags.use_cpu}:
        return torch.device("cpu")
    if flags.use_ipex and not torch.xpu.is_available():
        raise InvalidRequest("use_ipex", "--use-ipex was given, but torch finds no Intel GPU here.")
    if torch.cuda.is_available() and not flags.use_ipex:
        return _numbered("cuda", torch.cuda.device_count(), flags.device_id)
    if torch.xpu.is_available():
        return _numbered("xpu", torch.xpu.device_count(), flags.device_id)
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _numbered(kind: str, count: int, device_id: str | None) -> torch.device:
    if device_id is None:
        return torch.device(kind)
    if not device_id.isdecimal() or int(device_id) >= count:
        found = (
            f"there are {count} devices, numbered from 0" if count > 1 else "there is one device, number 0"
        )
        raise InvalidRequest("device_id", f"--device-id {device_id} names no {kind} device: {found}.")
    return torch.device(kind, int(device_id))


def _dtype(device: torch.device, precision: Precision, no_half: bool) -> torch.dtype:
    if no_half or precision is Precision.FULL:
        return torch.float32
    if device.type == "cpu":
        # Narrow types gain no speed on processors, so only who asks for them gets them; bfloat16 has kernels
        # on all.
        return torch.bfloat16 if precision is Precision.HALF else torch.float32
    return torch.float16


def _vae_dtype(device: torch.device, dtype: torch.dtype, no_half_vae: bool, bfloat16: bool) -> torch.dtype:
    # On Apple's devices float16 decoders answer black pictures.
    if dtype == torch.float32 or no_half_vae or device.type == "mps":
        return torch.float32
    return torch.bfloat16 if bfloat16 else dtype
