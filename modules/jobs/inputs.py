"""The pictures that jobs start from: kept as files while a job in the database names them."""

import errno
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from modules.generation import InputFiles, Order, input_digests
from modules.jobs.errors import StoreUnavailable
from modules.jobs.store import JobStore
from modules.jobs.work import Share

__all__ = ["InputKeeper"]

NAMED = re.compile(r'"sha256:([0-9a-f]{64})"')


class InputKeeper:
    """Takes the pictures out of orders, and removes files that no job needs."""

    def __init__(self, files: InputFiles, store: JobStore) -> None:
        self.files, self._store = files, store
        self._lock = threading.Lock()
        self._wanted: Counter[str] = Counter()

    @contextmanager
    def keeping(self, order: Order) -> Iterator[Order]:
        """`order` as it goes into the database: it names its pictures, whose files are there.

        Until the block ends no sweep takes them; then a row of the database has to name them. Raises
        InvalidRequest for a name without a file, StoreUnavailable where a file cannot be written.
        """
        with self._lock:
            try:
                request = self.files.laid_away(order.request)
            except OSError as error:
                raise _unwritten(error, self.files) from error
            digests = {digest for _, digest in input_digests(request)}
            self._wanted.update(digests)
        try:
            yield order if request is order.request else order.model_copy(update={"request": request})
        finally:
            with self._lock:
                self._wanted -= Counter(digests)

    def with_pictures(self, share: Share) -> Share:
        """`share` for whoever draws it, wherever: its pictures are inside.

        Raises InvalidRequest where one is kept no longer.
        """
        request = self.files.brought_back(share.order.request)
        return replace(share, order=share.order.model_copy(update={"request": request}))

    def sweep(self, most_bytes: int) -> None:
        """Remove the files that no job names, and of those that only past jobs name what is beyond
        `most_bytes`, the oldest jobs' first. Raises StoreUnavailable.
        """
        with self._lock:
            if not self.files.folder.is_dir():
                return
            kept = self._needed(most_bytes) | set(self._wanted)
            for path in self.files.folder.iterdir():
                if path.name not in kept:
                    with suppress(OSError):
                        path.unlink()

    def _needed(self, most_bytes: int) -> set[str]:
        needed: set[str] = set()
        size, is_full = 0, False
        for has_ended, text in self._store.orders_with_inputs():
            new = set(NAMED.findall(text)) - needed
            size += sum(self._size(digest) for digest in new)
            is_full = is_full or (has_ended and size > most_bytes)
            if not is_full:
                needed |= new
        return needed

    def _size(self, digest: str) -> int:
        try:
            return (self.files.folder / digest).stat().st_size
        except OSError:
            return 0


def _unwritten(error: OSError, files: InputFiles) -> StoreUnavailable:
    return StoreUnavailable(
        f"The picture could not be kept in {files.folder}: {error.strerror or error}. Make room there, or "
        "give yourself the rights to it, then send the job again.",
        is_full=error.errno == errno.ENOSPC,
    )
