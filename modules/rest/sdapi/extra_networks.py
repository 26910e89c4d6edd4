"""The field's routes for cards of extra networks: their pictures and their metadata."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from modules.checkpoints import read_metadata
from modules.door import Router
from modules.errors import NotFound
from modules.extra_networks import COVER_KEYS, NetworkKind, PreviewPicture
from modules.house import House
from modules.rest.answer import Answer
from modules.rest.errors import error_statuses
from modules.rest.sdapi.networks import unpacked_metadata

__all__ = ["card_file_routes"]

KINDS = ("image/png", "image/jpeg", "image/webp", "image/avif", "image/gif")
PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in KINDS},
    }
}
HEADERS = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
"""The addresses that cards have change with the picture."""

Side = Annotated[
    int | None, Query(ge=16, le=1024, description="In small: the longer side in pixels, as WebP.")
]
Page = Annotated[str, Query(max_length=100, description="The kind of networks.", examples=["lora"])]
Item = Annotated[str, Query(max_length=4000, description="The name of a card.")]
Moment = Annotated[
    str, Query(max_length=100, description="Not looked at; it makes another address of another picture.")
]


class MetadataAnswer(Answer):
    """The metadata of a file."""

    metadata: str | None = Field(None, description="JSON as text, without pictures; absent: there are none.")


def card_file_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = Router(prefix="/sd_extra_networks", tags=["networks"], responses=error_statuses(404, 422))
    previews = house.networks.previews

    @router.get("/thumb", response_class=Response, responses=PICTURE)
    @house.reading.route
    def preview(
        filename: Annotated[str, Query(max_length=4000, description="A picture in a folder of models.")],
        size: Side = None,
        mtime: Moment = "",
    ) -> Response:
        """A preview from the folders of models: no other files, and nothing but pictures."""
        return _answer(previews.of_file(filename, size))

    @router.get("/cover-images", response_class=Response, responses=PICTURE)
    @house.reading.route
    def cover(
        page: Page,
        item: Item,
        index: Annotated[int, Query(ge=0, description="Of several, from 0.")] = 0,
        size: Side = None,
        mtime: Moment = "",
    ) -> Response:
        """A picture inside the metadata of a safetensors file."""
        path = house.networks.path_of(NetworkKind.named(page), item)
        return _answer(previews.of_cover(path, index, size))

    @router.get("/metadata", response_model_exclude_none=True)
    def metadata(page: Page, item: Item) -> MetadataAnswer:
        """The metadata of a network's file, as text to be shown."""
        try:
            path = house.networks.path_of(NetworkKind.named(page), item)
        except NotFound:
            # As the field answers: nothing is known.
            return MetadataAnswer(metadata=None)
        texts = {key: text for key, text in read_metadata(path).items() if key not in COVER_KEYS}
        shown = json.dumps(unpacked_metadata(texts), indent=4, ensure_ascii=False)
        return MetadataAnswer(metadata=shown if texts else None)

    return router


def _answer(picture: PreviewPicture) -> Response:
    return Response(picture.data, media_type=picture.media_type, headers=HEADERS)
