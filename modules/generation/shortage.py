"""Too little memory, said in a sentence."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from modules.errors import EaselError
from modules.generation.run import Run

__all__ = ["explained_shortage"]

SHORTAGE = re.compile("out of memory|can't allocate memory|not enough memory|alloc_cpu", re.IGNORECASE)


@contextmanager
def explained_shortage(run: Run) -> Iterator[None]:
    """Turns an allocation that fails into an EaselError that names the sizes of `run`.

    torch has a class of its own for the memory of devices; the machine's comes as a RuntimeError.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, MemoryError) and not SHORTAGE.search(str(error)):
            raise
        # The tensors of the frames that failed go with the traceback; what the allocator keeps goes here.
        error.__traceback__ = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise EaselError(_sentence(run)) from None


def _sentence(run: Run) -> str:
    request = run.request
    count = f"{request.batch_size} pictures" if request.batch_size > 1 else "a picture"
    then = f" and then {run.hires.size.width}x{run.hires.size.height}" if run.hires else ""
    advice = "fewer pictures at once or " if request.batch_size > 1 else ""
    return (
        f"The memory does not suffice for {count} of {request.width}x{request.height}{then}. "
        f"Ask for {advice}a smaller size, or close other programs that use the same memory."
    )
