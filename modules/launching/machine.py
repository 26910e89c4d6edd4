"""The facts about the machine that decide what is installed."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

__all__ = ["Card", "Machine", "card_of_device", "cards_of_names", "probe_machine"]


class Card(StrEnum):
    """Makers of graphics cards that torch can compute on."""

    NVIDIA = "NVIDIA"
    AMD = "AMD"
    INTEL = "Intel"


@dataclass(frozen=True)
class Machine:
    """system: as `platform.system()` says: Linux, Darwin, Windows. cards: what was found."""

    system: str
    architecture: str
    python: tuple[int, int]
    is_64_bit: bool = True
    cards: frozenset[Card] = frozenset()


# PCI numbers of Intel graphics that torch computes on: Arc, Core Ultra, data centre. Older ones are left out.
INTEL_DEVICES = (
    range(0x4F80, 0x4F89),
    range(0x5690, 0x56C3),
    range(0x64A0, 0x64C0),
    range(0x7D40, 0x7DE0),
    range(0xB080, 0xB0C0),
    range(0xE200, 0xE230),
    range(0x0BD4, 0x0BDC),
)
VENDORS = {0x10DE: Card.NVIDIA, 0x1002: Card.AMD, 0x8086: Card.INTEL}


def probe_machine() -> Machine:
    """Look at this machine; it may take a second, so it is done only when torch is to be installed."""
    system = platform.system()
    return Machine(
        system=system,
        architecture=platform.machine().lower(),
        python=sys.version_info[:2],
        is_64_bit=sys.maxsize > 2**32,
        cards=frozenset(
            _windows_cards() if system == "Windows" else _linux_cards() if system == "Linux" else ()
        ),
    )


def card_of_device(vendor: int, device: int) -> Card | None:
    """The maker of a PCI graphics device, None when torch cannot compute on it."""
    card = VENDORS.get(vendor)
    if card is Card.INTEL and not any(device in known for known in INTEL_DEVICES):
        return None
    return card


def cards_of_names(names: Iterable[str]) -> Iterator[Card]:
    """The makers behind what Windows calls its graphics cards."""
    for name in names:
        if "nvidia" in name.lower():
            yield Card.NVIDIA
        elif "radeon" in name.lower():
            yield Card.AMD
        elif "intel" in name.lower() and "arc" in name.lower().replace("(", " ").split():
            yield Card.INTEL


def _linux_cards(devices: Path = Path("/sys/class/drm"), root: Path = Path("/")) -> Iterator[Card]:
    if shutil.which("nvidia-smi") or (root / "proc/driver/nvidia").exists():
        yield Card.NVIDIA
    if shutil.which("rocminfo") or (root / "dev/kfd").exists():
        yield Card.AMD
    for folder in devices.glob("card*/device"):
        try:
            vendor, device = (int((folder / name).read_text(), 16) for name in ("vendor", "device"))
        except (OSError, ValueError):
            continue
        # An AMD card counts only with its compute driver, which is what /dev/kfd above tells.
        if (card := card_of_device(vendor, device)) is Card.INTEL:
            yield card


def _windows_cards() -> Iterator[Card]:
    if shutil.which("nvidia-smi"):
        yield Card.NVIDIA
    query = "Get-CimInstance Win32_VideoController | ForEach-Object Name"
    try:
        answer = subprocess.run(
            ["powershell", "-NoProfile", "-Command", query],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    yield from cards_of_names(answer.stdout.splitlines())
