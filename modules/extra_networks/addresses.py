"""Where the page finds a card's picture: the field's routes for it."""

from urllib.parse import urlencode

from modules.extra_networks.card import Card

__all__ = ["preview_address"]


def preview_address(card: Card) -> str | None:
    """The picture's address below the server's, without a slash before it; None if there is no picture.

    It changes with the picture, so that what is behind it may be kept for good.
    """
    if card.preview:
        values = {"filename": card.preview.path.as_posix(), "mtime": str(card.preview.mtime_ns)}
        return f"sd_extra_networks/thumb?{urlencode(values, errors='surrogateescape')}"
    if card.said.facts.has_cover:
        values = {"page": card.kind.value, "item": card.name, "mtime": str(int(card.modified))}
        return f"sd_extra_networks/cover-images?{urlencode(values, errors='surrogateescape')}"
    return None
