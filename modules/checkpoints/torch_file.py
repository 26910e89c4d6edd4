"""Torch files (`.ckpt`, `.pt`, `.bin`): which tensors they hold, and where the numbers lie."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from modules.checkpoints.foreign import HEAD_BYTES, describe_foreign_file
from modules.checkpoints.foreign_text import encodable
from modules.checkpoints.pickles import LEGACY_MAGIC, StorageView, damaged, run_pickle
from modules.checkpoints.tensor_file import StoredTensor
from modules.errors import UnusableFile

__all__ = [
    "locate",
    "looks_like_torch_file",
    "read_text_lists",
    "read_torch_index",
    "read_torch_tree",
    "refuse_inflation",
]

ZIP_START = b"PK\x03\x04"
PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
LOCAL_HEADER_BYTES = 30
MOST_ENTRIES = 100_000
LONGEST_PICKLE = 32 << 20
"""Bytes; that of a full-size checkpoint has half a million."""
LONGEST_READING = 2 << 20
"""Bytes that an archive's table of contents may have; that of a full-size checkpoint has a fifth."""
LONGEST_MARK = 64
"""Bytes of the entry that names the byte order."""

MOST_SHARED = 8
"""How many times as large as the file its tensors may be."""

ZIP_ERRORS = (zipfile.BadZipFile, ValueError, OSError, EOFError, RuntimeError, struct.error)
"""What a damaged archive makes the standard library raise."""


def looks_like_torch_file(head: bytes) -> bool:
    """Whether a file that begins with `head` is a zip archive or a binary pickle."""
    return head.startswith((ZIP_START, *PICKLE_STARTS))


def read_torch_index(path: Path) -> dict[str, StoredTensor]:
    """The tensors of a torch file by name: those of its "state_dict" where it has one.

    Nothing that the file names is imported or run. Raises EaselError for a file that wants more than
    tensors and plain values, one that is damaged, and one that torch did not write.
    """
    tree, starts = read_torch_tree(path)
    views = _state_dict(tree)
    if not views:
        raise UnusableFile(f"{path.name} holds no tensors by name, so it is not a model.")
    located = {name: locate(path, name, view, starts) for name, view in views.items()}
    refuse_inflation(path, located.values())
    return located


def read_torch_tree(path: Path) -> tuple[Any, dict[str, tuple[int, int]]]:
    """What a torch file holds, with a `StorageView` for each tensor, and where each storage lies: key ->
    (start, bytes).

    Raises EaselError as `read_torch_index` does.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if not looks_like_torch_file(head):
            raise UnusableFile(describe_foreign_file(path, head))
        zipped = head.startswith(ZIP_START)
        file.seek(0)
        return _read_zip(path, file) if zipped else _read_legacy(path, file)


def read_text_lists(path: Path) -> dict[str, list[str]]:
    """The lists of texts beside a torch file's tensors, by name: a tagger's tags.

    Raises EaselError as `read_torch_index` does, and for a file that cannot be opened or is no torch file.
    """
    try:
        with path.open("rb") as file:
            if not looks_like_torch_file(file.read(len(ZIP_START))):
                raise UnusableFile(f"{path.name} is no torch file. Put the model there as torch saved it.")
        tree, _ = read_torch_tree(path)
    except OSError as error:
        raise UnusableFile(f"{path.name} cannot be opened: {error.strerror or error}.") from error
    items = tree.items() if isinstance(tree, dict) else ()
    return {
        name: list(texts)
        for name, texts in items
        if isinstance(name, str)
        and isinstance(texts, list | tuple)
        and all(isinstance(text, str) for text in texts)
    }


def _read_zip(path: Path, file: BinaryIO) -> tuple[Any, dict[str, tuple[int, int]]]:
    """The pickle's result, and where each storage lies: key -> (start, bytes)."""
    try:
        archive = zipfile.ZipFile(_Portions(file))
    except ZIP_ERRORS:
        raise damaged(path, "it is cut short or no zip archive") from None
    entries = {info.filename: info for info in archive.infolist()}
    root = next((name.removesuffix("data.pkl") for name in entries if f"/{name}".endswith("/data.pkl")), None)
    if root is None:
        raise UnusableFile(
            f"{path.name} is a zip archive, not a model. Unpack it and put the model that it holds here."
        )
    index = entries[f"{root}data.pkl"]
    if len(entries) > MOST_ENTRIES or index.file_size > LONGEST_PICKLE:
        raise damaged(path, "its index is longer than any model's")
    if any(info.compress_type != zipfile.ZIP_STORED for info in entries.values()):
        raise damaged(path, "its contents are compressed, which torch never does")
    mark = entries.get(f"{root}byteorder")
    if mark and (mark.file_size > LONGEST_MARK or _contents(path, archive, mark.filename) != b"little"):
        raise UnusableFile(f"{path.name} was saved on a machine with another byte order and cannot be read.")
    tree, _ = run_pickle(path, io.BytesIO(_contents(path, archive, index.filename)))
    folder = f"{root}data/"
    starts = {
        name[len(folder) :]: (_data_start(path, file, info), info.file_size)
        for name, info in entries.items()
        if name.startswith(folder)
    }
    return tree, starts


@dataclass(frozen=True, slots=True)
class _Portions:
    """A file for `zipfile`, which reads a table of contents in one go: a longer one than any model's is cut
    short, and so refused.
    """

    file: BinaryIO

    def read(self, count: int = -1) -> bytes:
        """Up to `LONGEST_READING` bytes."""
        return self.file.read(min(count, LONGEST_READING) if count >= 0 else LONGEST_READING)

    def seek(self, offset: int, whence: int = 0) -> int:
        """As the file's own. So are the two below."""
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        """Where reading goes on."""
        return self.file.tell()

    def seekable(self) -> bool:
        """Whether `seek` works."""
        return True


def _contents(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        return archive.read(name)
    except ZIP_ERRORS:
        raise damaged(path, "its index is damaged") from None


def _data_start(path: Path, file: BinaryIO, info: zipfile.ZipInfo) -> int:
    file.seek(info.header_offset)
    header = file.read(LOCAL_HEADER_BYTES)
    if len(header) < LOCAL_HEADER_BYTES or not header.startswith(ZIP_START):
        raise damaged(path, "its entries do not lie where its index says")
    name_bytes, extra_bytes = struct.unpack_from("<HH", header, 26)
    return info.header_offset + LOCAL_HEADER_BYTES + int(name_bytes) + int(extra_bytes)


def _read_legacy(path: Path, file: BinaryIO) -> tuple[Any, dict[str, tuple[int, int]]]:
    """As `_read_zip`, for torch before 1.6: four pickles, then each storage after its count."""
    if run_pickle(path, file)[0] != LEGACY_MAGIC:
        raise UnusableFile(f"{path.name} is a pickle, but not one that torch wrote, so it is not a model.")
    run_pickle(path, file)
    run_pickle(path, file)
    tree, dtypes = run_pickle(path, file)
    keys, _ = run_pickle(path, file)
    starts: dict[str, tuple[int, int]] = {}
    named = [key for key in keys if isinstance(key, str | int)] if isinstance(keys, list) else []
    for key in map(str, named):
        prefix = file.read(8)
        count = struct.unpack("<q", prefix)[0] if len(prefix) == 8 else -1
        if key not in dtypes or not 0 <= count <= path.stat().st_size:
            raise damaged(path, "its numbers do not lie where its index says")
        starts[key] = (file.tell(), count * dtypes[key].itemsize)
        file.seek(sum(starts[key]))
    return tree, starts


def _state_dict(tree: Any) -> dict[str, StorageView]:
    if isinstance(tree, dict) and isinstance(tree.get("state_dict"), dict):
        tree = tree["state_dict"]
    if not isinstance(tree, dict):
        return {}
    return {
        encodable(name): view
        for name, view in tree.items()
        if isinstance(name, str) and isinstance(view, StorageView)
    }


def locate(path: Path, name: str, view: StorageView, starts: Mapping[str, tuple[int, int]]) -> StoredTensor:
    """Where the numbers of `view` lie in the file. Raises EaselError where they do not lie inside it."""
    start, size = starts.get(view.storage.key, (0, -1))
    if size < 0:
        raise damaged(path, f'the numbers of "{name[:80]}" are missing')
    dtype = view.storage.dtype
    plain = StoredTensor(view.shape, dtype, start + view.offset * dtype.itemsize)
    ordered = view.stride == _ordinary_stride(view.shape)
    stored = plain if ordered else StoredTensor(view.shape, dtype, plain.start, view.stride)
    inside = len(view.shape) == len(view.stride) and view.offset * dtype.itemsize + stored.span_bytes <= size
    # A stride of 0 could blow one number up to any size.
    if not inside or stored.numel * dtype.itemsize > size or start + size > path.stat().st_size:
        raise damaged(path, f'the numbers of "{name[:80]}" are cut short')
    return stored


def refuse_inflation(path: Path, tensors: Iterable[StoredTensor]) -> None:
    """Raises EaselError where the tensors of a file, which may share their numbers, are together much larger
    than it.
    """
    wanted = sum(stored.numel * stored.dtype.itemsize for stored in tensors)
    if wanted > MOST_SHARED * path.stat().st_size:
        raise damaged(path, f"its tensors would take {wanted} bytes, many times those of the file")


def _ordinary_stride(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))
