"""Files that are no model at all: what they are, so that a person knows what happened."""

from __future__ import annotations

import string
from pathlib import Path

from modules.errors import UnusableFile

__all__ = ["HEAD_BYTES", "damaged", "describe_foreign_file"]

HEAD_BYTES = 512
"""Of a file's beginning, by which it is told."""

SIGNATURES = (
    (
        b"version https://git-lfs",
        "a Git LFS pointer, a few lines in place of the file",
        "Fetch the file itself (git lfs pull).",
    ),
    (b"GGUF", "a GGUF file", "Choose the .safetensors form of the model."),
    (b"\x89PNG", "a PNG picture", "PNG Info reads the parameters of pictures."),
    (b"\xff\xd8\xff", "a JPEG picture", "PNG Info reads the parameters of pictures."),
    (b"Rar!", "a RAR archive", "Unpack it and put the model that it holds here."),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it and put the model that it holds here."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it and put the model that it holds here."),
)

PRINTABLE = set(string.printable.encode())


def describe_foreign_file(path: Path, head: bytes) -> str:
    """What the file `path`, which begins with `head` and holds no tensors, is, and what to do."""
    kind, advice = _kind(head)
    return f"{path.name} is {kind}, not a model. {advice}"


def _kind(head: bytes) -> tuple[str, str]:
    start = head.lstrip().lower()
    if not head:
        return "empty", "Its download has failed; fetch it again."
    if not head.strip(b"\0"):
        return "filled with zeros", "Its download was not finished; fetch it again."
    for signature, kind, advice in SIGNATURES:
        if head.startswith(signature):
            return kind, advice
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return (
            "a web page",
            "The site answered with a page (a login or an error) in place of the file; fetch it again.",
        )
    if all(byte in PRINTABLE or byte >= 128 for byte in head):
        shown = head[:60].decode("utf-8", "replace").strip().splitlines()[0]
        return f'a text file that begins with "{shown}"', "Fetch the model again, and remove this file."
    return (
        "in no format that Easel knows",
        "It reads .safetensors files, and .ckpt, .pt, .bin files made by torch.",
    )


def damaged(path: Path, reason: str) -> UnusableFile:
    """The error for a torch file that is not whole."""
    return UnusableFile(
        f"{path.name} cannot be read: {reason}. The file is damaged or its download was not finished; "
        "fetch it again, best as .safetensors."
    )
