"""xformers, for who asks for it: whether a wheel fits this machine and the torch that is installed."""

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modules.launching.environment import Environment
from modules.launching.errors import LaunchError
from modules.launching.install import run_pip
from modules.launching.machine import Card, Machine
from modules.launching.torch_build import INDEX

__all__ = ["TorchFacts", "XformersBuild", "add_xformers", "choose_xformers", "read_torch_facts"]

SINCE = (2, 10)
NEWEST = "0.0.35"
"""Built for every torch from `SINCE` on."""
OF_ONE_TORCH = {"2.9.1": "0.0.33.post2", "2.8.0": "0.0.32.post2"}
ARCHITECTURES = ("x86_64", "amd64")
PYPI_CUDA = "12"
"""The CUDA that the wheels on PyPI are built for; those for others are in torch's own index."""

PROBE = """
from importlib import metadata
for name in ("torch", "xformers"):
    try:
        print(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        pass
print(*metadata.requires("torch") or (), sep="\\n")
"""


@dataclass(frozen=True)
class TorchFacts:
    """What is installed. torch: its version, with "+cu130" and the like; empty: none. cuda: such as "13.0",
    empty for another kind of torch. xformers: its version, empty: none.
    """

    torch: str = ""
    cuda: str = ""
    xformers: str = ""


@dataclass(frozen=True)
class XformersBuild:
    """words: what follows `python -m`; none where nothing fits. lack: why nothing does."""

    words: tuple[str, ...] = ()
    lack: str = ""


def choose_xformers(machine: Machine, facts: TorchFacts) -> XformersBuild:
    """The wheel for `machine` and the torch of `facts`, a pure function of both. torch stays as it is."""
    if Card.NVIDIA not in machine.cards:
        return XformersBuild(lack="it is for NVIDIA cards, and there is none here")
    if machine.system not in ("Linux", "Windows") or machine.architecture not in ARCHITECTURES:
        return XformersBuild(lack=f"there is no wheel for {machine.system} on {machine.architecture}")
    if not facts.torch:
        return XformersBuild(lack="torch is not installed")
    if not facts.cuda:
        return XformersBuild(
            lack=f"torch {facts.torch} does not compute on NVIDIA cards; --reinstall-torch may"
        )
    version = _wheel_of(facts.torch)
    if version is None:
        return XformersBuild(lack=f"there is no wheel for torch {facts.torch}")
    words: tuple[str, ...] = ("pip", "install", "--no-deps", "--only-binary", ":all:", f"xformers=={version}")
    if facts.cuda.partition(".")[0] != PYPI_CUDA:
        words += ("--index-url", f"{INDEX}cu{facts.cuda.replace('.', '')}")
    return XformersBuild(words)


def _wheel_of(torch: str) -> str | None:
    release = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", torch.partition("+")[0])
    if release is None:
        return None
    numbers = tuple(map(int, release.groups()))
    return NEWEST if numbers >= SINCE else OF_ONE_TORCH.get(release[0])


def read_torch_facts(lines: Sequence[str], system: str) -> TorchFacts:
    """The facts in what `PROBE` has written."""
    versions = dict(line.split(" ", 1) for line in lines if re.match(r"(torch|xformers) \d", line))
    torch = versions.get("torch", "")
    build = torch.partition("+")[2]
    cuda = ""
    if found := re.fullmatch(r"cu(\d+)(\d)", build):
        cuda = f"{found[1]}.{found[2]}"
    elif not build and system == "Linux":
        # On PyPI the build for Linux alone has CUDA, and its version says nothing of it.
        asked = re.search(r"(?:cuda-toolkit\S*|nvidia-cuda-runtime-cu\d+)==(\d+)\.(\d+)", "\n".join(lines))
        cuda = f"{asked[1]}.{asked[2]}" if asked else ""
    return TorchFacts(torch, cuda, versions.get("xformers", ""))


def add_xformers(
    environment: Environment, probe: Callable[[], Machine], say: Callable[[str], None], *, again: bool = False
) -> None:
    """Install xformers where a wheel fits, or say in one line why it is not; the start goes on in both cases.

    What pip could not install it is not asked for at every start: only `again`, or after another torch.
    """
    stamp = environment.read_stamp()
    if stamp.xformers and not again:
        return
    lack = "" if again else stamp.xformers_lack
    if not lack:
        machine = probe()
        facts = _ask(environment, machine.system)
        if facts.xformers and not again:
            return
        lack = _install(environment, choose_xformers(machine, facts), say, again)
    if lack:
        say(f"xformers is not installed: {lack}. Pictures are drawn with torch's own attention.")


def _install(environment: Environment, build: XformersBuild, say: Callable[[str], None], again: bool) -> str:
    """Why it is not installed; empty if it is."""
    if not build.words:
        return build.lack
    say("Installing xformers.")
    try:
        run_pip(environment, build.words + ("--force-reinstall",) * again, "xformers")
    except LaunchError as error:
        lack = str(error).partition(": ")[2].rstrip(".") + "; --reinstall-xformers tries it again"
        environment.stamp(xformers=(), xformers_lack=lack)
        return lack
    environment.stamp(xformers=build.words, xformers_lack="")
    return ""


def _ask(environment: Environment, system: str) -> TorchFacts:
    command = [str(environment.python), "-c", PROBE]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return read_torch_facts(answer.stdout.splitlines(), system)
