"""Which build of torch a machine gets: a pure function of the facts about it."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from modules.launching.errors import LaunchError
from modules.launching.machine import Card, Machine

__all__ = ["INDEX", "PINS", "TorchBuild", "choose_torch", "module_words"]

PINS = ("torch==2.14.1", "torchvision==0.29.1")
INDEX = "https://download.pytorch.org/whl/"


@dataclass(frozen=True)
class TorchBuild:
    """words: what follows `python -m`. reason: why this build, for the person at the terminal."""

    words: tuple[str, ...]
    reason: str


def choose_torch(machine: Machine, environment: Mapping[str, str], use_ipex: bool = False) -> TorchBuild:
    """The build for `machine`; TORCH_COMMAND of `environment` comes before everything.

    Of several makers' cards NVIDIA's comes first, then AMD's. Raises LaunchError where torch has no build.
    """
    if command := environment.get("TORCH_COMMAND", "").strip():
        return TorchBuild(module_words(command), "as TORCH_COMMAND says")
    _refuse_hopeless(machine)
    if use_ipex:
        return _from_index("xpu", "for Intel cards, as --use-ipex asks")
    if machine.system == "Windows" and Card.NVIDIA in machine.cards:
        return _from_index("cu130", "for the NVIDIA card")
    if machine.system == "Linux" and Card.NVIDIA in machine.cards:
        return _plain("for the NVIDIA card")
    if machine.system == "Linux" and Card.AMD in machine.cards:
        return _from_index("rocm7.2", "for the AMD card")
    if machine.system in ("Linux", "Windows") and Card.INTEL in machine.cards:
        return _from_index("xpu", "for the Intel card")
    if machine.system == "Darwin":
        return _plain("for Apple's processors")
    return _plain("for the processor; no graphics card was found that torch knows on this system")


def _refuse_hopeless(machine: Machine) -> None:
    if not machine.is_64_bit:
        raise LaunchError(
            "This Python is a 32-bit program, for which there is no torch: install 64-bit Python."
        )
    if machine.system == "Darwin" and machine.architecture in ("x86_64", "i386"):
        raise LaunchError(
            "There is no current torch for Macs with Intel processors; on an Apple processor, this Python is "
            "one for Intel: install Python for arm64. To use a torch of your own, set TORCH_COMMAND."
        )


def _plain(reason: str) -> TorchBuild:
    return TorchBuild(("pip", "install", *PINS), reason)


def _from_index(name: str, reason: str) -> TorchBuild:
    return TorchBuild(("pip", "install", *PINS, "--index-url", INDEX + name), reason)


def module_words(command: str) -> tuple[str, ...]:
    """The words of a TORCH_COMMAND after `python -m`."""
    words = shlex.split(command)
    while words and words[0] in ("python", "python3", "-m"):
        words = words[1:]
    return tuple(words)
