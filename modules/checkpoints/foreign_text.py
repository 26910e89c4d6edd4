"""Texts out of foreign files."""

__all__ = ["encodable"]


def encodable(text: str) -> str:
    """`text` with "?" for halves of characters: pickles and JSON can hold them, no encoding has them, so they
    could neither be shown nor kept.
    """
    return text.encode("utf-8", "replace").decode()
