"""Too little memory: recognised, followed by giving back what can be, and said in a sentence."""

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from modules.errors import EaselError
from modules.generation.run import Run
from modules.memory import give_back_heap

__all__ = ["Shortage", "explained_shortage", "shortage_caught"]

SHORTAGE = re.compile("out of memory|can't allocate memory|not enough memory|alloc_cpu", re.IGNORECASE)


class Shortage:
    """Whether an allocation failed in the scope that `shortage_caught` opened."""

    met = False


@contextmanager
def shortage_caught() -> Iterator[Shortage]:
    """Ends where an allocation fails, which is told by what it yields; all other errors go on.

    torch has a class of its own for the memory of devices; the machine's comes as a RuntimeError.
    """
    shortage = Shortage()
    try:
        yield shortage
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, MemoryError) and not SHORTAGE.search(str(error)):
            raise
        # The tensors of the frames that failed go with the traceback.
        error.__traceback__ = None
        shortage.met = True
    if shortage.met:
        _give_back()


@contextmanager
def explained_shortage(run: Run) -> Iterator[None]:
    """Turns an allocation that fails into an EaselError that names the sizes of `run`."""
    with shortage_caught() as shortage:
        yield
    if shortage.met:
        raise EaselError(_sentence(run))


def _give_back() -> None:
    """What the allocators keep, to those who might have it."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    give_back_heap()


def _sentence(run: Run) -> str:
    request = run.request
    count = f"{request.batch_size} pictures" if request.batch_size > 1 else "a picture"
    then = f" and then {run.hires.size.width}x{run.hires.size.height}" if run.hires else ""
    advice = "fewer pictures at once or " if request.batch_size > 1 else ""
    return (
        f"The memory does not suffice for {count} of {request.width}x{request.height}{then}. "
        f"Ask for {advice}a smaller size, or close other programs that use the same memory."
    )
