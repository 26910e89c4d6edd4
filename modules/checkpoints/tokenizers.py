"""The CLIP tokenizer, from its two files."""

from __future__ import annotations

import json
from pathlib import Path

from transformers import CLIPTokenizer

from modules.errors import EaselError

__all__ = ["find_tokenizer", "load_tokenizer"]

TOKENIZER = "clip-tokenizer"


def find_tokenizer(folder: Path | None, configs: Path) -> CLIPTokenizer:
    """The one in the text encoder's `folder`, else the standard one of Easel's `configs`."""
    own = folder is not None and (folder / "vocab.json").is_file()
    return load_tokenizer(folder if folder and own else configs / TOKENIZER)


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """The CLIP tokenizer of `vocab.json` and `merges.txt` in `folder`; nothing else is read or looked up."""
    try:
        vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
        lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise EaselError(
            f"The tokenizer in {folder} cannot be read: {error}. Restore it from Easel's own files."
        ) from error
    merges = [tuple(line.split()) for line in lines if line and not line.startswith("#version")]
    return CLIPTokenizer(vocab=vocabulary, merges=merges)
