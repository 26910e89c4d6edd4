"""Where the parts of loaded models are while one computes, and what moves them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from modules.memory.blocks import go_block_by_block, stay_whole
from modules.memory.modes import MemoryMode

__all__ = ["Placement"]

RAM = torch.device("cpu")


class Placement:
    """Which parts are on the device: one for all models that share it.

    Whatever computes with a part says so: `with placement.at_work(part)`. In the normal mode that does
    nothing, for all parts are there. In the lighter ones the part comes, and the one before it leaves; it
    then stays until another needs the place, so that a step of sampling moves nothing. Numbers that came are
    copies: those at home stay, and leaving is forgetting the copy.
    """

    def __init__(self, device: torch.device = RAM, home: torch.device = RAM) -> None:
        self.device, self.home = device, home
        self.mode = MemoryMode.NORMAL
        self.on_device: tuple[nn.Module, ...] = ()
        """The parts that came last and are there still; one that goes block by block counts. Nothing in the
        normal mode, which moves nothing.
        """
        self._at_home: list[tuple[Tensor, Tensor]] = []
        self._by_blocks: list[nn.Module] = []

    @property
    def resting_place(self) -> torch.device:
        """Where the parts of a model that is about to draw have to be when none of them is at work."""
        return self.device if self.mode is MemoryMode.NORMAL else self.home

    @contextmanager
    def drawing(self, mode: MemoryMode) -> Iterator[None]:
        """While it lasts models draw in `mode`; afterwards all that came is at home again."""
        self.mode = mode
        try:
            yield
        finally:
            self.clear()
            was_lighter, self.mode = self.mode is not MemoryMode.NORMAL, MemoryMode.NORMAL
            if was_lighter and self.device.type == "cuda":
                torch.cuda.empty_cache()

    def lighten(self, mode: MemoryMode) -> None:
        """Draw in `mode` from now on, within `drawing`."""
        self.clear()
        self.mode = mode

    @contextmanager
    def at_work(self, *parts: nn.Module, by_blocks: bool = False) -> Iterator[None]:
        """While it lasts `parts` compute, together. `by_blocks`: they may pass block by block where the mode
        says so. Such scopes do not lie in one another.
        """
        if self.mode is MemoryMode.NORMAL:
            yield
            return
        try:
            self._bring(parts, by_blocks=by_blocks and self.mode is MemoryMode.LOWVRAM)
            yield
        except BaseException:
            # Hooks that were left in the middle of a step would not know where they are.
            self.clear()
            raise

    def clear(self) -> None:
        """Have no part on the device: before weights are changed or moved by anybody else, and at the end."""
        self._send_home()
        while self._by_blocks:
            with _plain_tensors():
                stay_whole(self._by_blocks.pop(), self.device, self.home)

    def _bring(self, parts: Sequence[nn.Module], *, by_blocks: bool) -> None:
        if self.on_device == tuple(parts):
            return
        self._send_home()
        self.on_device = tuple(parts)
        for part in parts:
            if by_blocks:
                self._let_pass(part)
            else:
                self._copy(part)

    def _let_pass(self, part: nn.Module) -> None:
        if part not in self._by_blocks:
            self._by_blocks.append(part)
            with _plain_tensors():
                go_block_by_block(part, self.device, self.home)

    def _copy(self, part: nn.Module) -> None:
        with _plain_tensors():
            for tensor in itertools.chain(part.parameters(), part.buffers()):
                numbers = tensor.data
                self._at_home.append((tensor, numbers))
                tensor.data = numbers.to(self.device, copy=True)

    def _send_home(self) -> None:
        with _plain_tensors():
            for tensor, numbers in self._at_home:
                tensor.data = numbers
        self._at_home.clear()
        self.on_device = ()


@contextmanager
def _plain_tensors() -> Iterator[None]:
    """While it lasts, new tensors are ordinary ones, fit to outlast the drawing in which they were made."""
    with torch.inference_mode(False), torch.no_grad():
        yield
