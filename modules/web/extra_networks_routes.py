"""Cards for the page: a page of them as HTML, and one card, as the field's scripts ask for it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from modules.door import Router
from modules.errors import NotFound
from modules.extra_networks import NetworkKind, SortField, Wish
from modules.house import House
from modules.web.extra_networks_cards import card_html

__all__ = ["network_routes"]


def network_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = Router(include_in_schema=False)

    @router.get("/internal/web/networks")
    def cards(
        kind: NetworkKind,
        search: Annotated[str, Query(max_length=1000)] = "",
        folder: Annotated[str, Query(max_length=4000)] = "",
        sort: SortField = SortField.PATH,
        descending: bool = False,
        page: Annotated[int, Query(ge=0)] = 0,
        page_size: Annotated[int, Query(ge=1, le=1000)] = 100,
        every_version: bool = False,
        anew: bool = False,
    ) -> dict[str, Any]:
        """A page of cards, as /easel/v1/networks tells them."""
        wish = Wish(search, folder, sort, descending, page, page_size, every_version)
        listing = house.list_networks(kind, wish, anew=anew)
        options = house.store.options
        return {
            "html": "".join(card_html(card, options) for card in listing.cards),
            "shown": len(listing.cards),
            "total": listing.total,
            "other_versions": listing.other_versions,
            "unread": listing.unread,
            "folders": [{"path": folder.path, "count": folder.count} for folder in listing.folders],
            "roots": [str(root) for root in house.networks.roots(kind)],
        }

    @router.get("/internal/web/checkpoint")
    def checkpoint() -> dict[str, Any]:
        """Of the checkpoint in use: its title, its version, its size in bytes, and the width and height in
        pixels that it was trained at; without one only the last two.
        """
        width, height = house.engine.native_size(house.store.options)
        try:
            file = house.engine.checkpoint_of(house.store.options)
        except NotFound:
            return {"width": width, "height": height}
        cards = house.networks.look(NetworkKind.CHECKPOINTS).cards
        size = next((card.size for card in cards if card.path == file.path), None)
        version = house.networks.version_of(file)
        return {"title": file.title, "version": version, "size": size, "width": width, "height": height}

    @router.get("/sd_extra_networks/get-single-card")
    def single_card(page: str, name: str, tabname: str = "") -> dict[str, str]:
        """One card anew. The field's scripts name the tab too, which makes no difference here."""
        card = house.networks.find(NetworkKind.named(page), name)
        return {"html": card_html(card, house.store.options)}

    return router
