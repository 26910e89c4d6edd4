"""How much memory a forward pass takes, found out without memory: it is run on torch's meta device."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, UntypedStorage
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["Rehearsal", "rehearse"]

ATTENTION = torch.nn.functional.scaled_dot_product_attention


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`peak`: bytes of all tensors that live at a time, at most, as if attention needed no matrix.
    `matrix`: elements of the largest attention matrix that the plain formula would make.
    """

    peak: int
    matrix: int


class _FusedAttention(TorchFunctionMode):
    """Attention as the fused routines do it: a result, and no matrix in between."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return (
            self._attention(*args, **(kwargs or {})) if func is ATTENTION else func(*args, **(kwargs or {}))
        )

    def _attention(self, query: Tensor, key: Tensor, value: Tensor, *_: object, **__: object) -> Tensor:
        self.largest = max(self.largest, query.shape[:-1].numel() * key.shape[-2])
        return query.new_empty((*query.shape[:-1], value.shape[-1]))


class _Ledger(TorchDispatchMode):
    """Adds up the tensors that are alive, and remembers the most at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._known: weakref.WeakSet[UntypedStorage] = weakref.WeakSet()
        self._alive = 0
        self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        # What is not known yet was there before: a weight, of which a result may be a view.
        self._known.update(_storages((args, kwargs)))
        result = func(*args, **(kwargs or {}))
        for storage in _storages(result):
            self._count(storage)
        self.peak = max(self.peak, self._alive)
        return result

    def _count(self, storage: UntypedStorage) -> None:
        if storage not in self._known:
            self._known.add(storage)
            self._alive += storage.nbytes()
            weakref.finalize(storage, self._forget, storage.nbytes())

    def _forget(self, size: int) -> None:
        self._alive -= size


def _storages(values: Any) -> list[UntypedStorage]:
    return [leaf.untyped_storage() for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]


@torch.no_grad()
def rehearse(forward: Callable[[], object]) -> Rehearsal:
    """What `forward` takes besides what it is given; all of its tensors have to be on the meta device."""
    with _FusedAttention() as attention, _Ledger() as ledger:
        forward()
    return Rehearsal(ledger.peak, attention.largest)
