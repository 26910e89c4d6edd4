"""Cards of extra networks: lists of them, what is known of one, what a person writes and shows of it."""

from typing import Annotated

from fastapi import APIRouter, Body, Query

from modules.door import HostAct, Router, refuse_strangers
from modules.extra_networks import NetworkKind, SortField, Wish, replace_preview
from modules.house import House
from modules.imaging import decoded
from modules.rest.easel.network_answers import (
    CardAnswer,
    CardDetails,
    CardList,
    CardText,
    PreviewOrder,
    card_answer,
    card_details,
    card_list,
)
from modules.rest.errors import error_statuses

__all__ = ["card_routes"]

Name = Annotated[str, Query(max_length=4000, description="As a list of cards tells it.")]
Kind = Annotated[NetworkKind, Query(description="Which kind of networks.")]
Search = Annotated[str, Query(max_length=1000, description="Words that all have to be there.")]
Folder = Annotated[str, Query(max_length=4000, description="This sub-folder and those in it; empty: all.")]
Sort = Annotated[SortField, Query(description="What the cards are ordered by.")]
Descending = Annotated[bool, Query(description="Last first.")]
Page = Annotated[int, Query(ge=0, description="From 0.")]
Size = Annotated[int, Query(ge=1, le=1000, description="Cards on a page.")]
Anew = Annotated[bool, Query(description="Read every file's size and time again.")]
EveryVersion = Annotated[bool, Query(description="Also those for other models than the one in use.")]


def card_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = Router(prefix="/easel/v1/networks", tags=["networks"], responses=error_statuses(404, 422))

    @router.get("")
    def list_networks(
        kind: Kind,
        search: Search = "",
        folder: Folder = "",
        sort: Sort = SortField.PATH,
        descending: Descending = False,
        page: Page = 0,
        page_size: Size = 100,
        every_version: EveryVersion = False,
        anew: Anew = False,
    ) -> CardList:
        """The cards of a kind, a page at a time, as the folders are at the moment.

        Files that were never opened are listed by name at first; `unread` says how many are left.
        """
        wish = Wish(search, folder, sort, descending, page, page_size, every_version)
        return card_list(house.list_networks(kind, wish, anew=anew), wish, house.store.options)

    @router.get("/card")
    def get_card(kind: Kind, name: Name) -> CardDetails:
        """A card with the facts of its file and the tags that it was trained on."""
        card = house.networks.find(kind, name)
        is_embedding = kind is NetworkKind.TEXTUAL_INVERSION
        refusal = house.engine.embedding_refusal(name) if is_embedding else ""
        return card_details(card, house.store.options, house.flags.files_closed_by, refusal)

    @router.put("/card")
    def describe_card(kind: Kind, name: Name, text: CardText) -> CardAnswer:
        """Write what a person says about a network into the JSON file beside it; other keys in it stay."""
        refuse_strangers(house.flags, HostAct.WRITE_CARDS)
        card = house.networks.find(kind, name)
        values = text.model_dump(exclude_none=True)
        return card_answer(house.networks.describe(card, values), house.store.options)

    @router.put("/preview")
    @house.reading.route
    def show_on_card(kind: Kind, name: Name, order: Annotated[PreviewOrder, Body()]) -> CardAnswer:
        """Save a picture beside a network, as its preview."""
        refuse_strangers(house.flags, HostAct.WRITE_CARDS)
        card = house.networks.find(kind, name)
        with decoded([("picture", order.picture)]) as [picture]:
            replace_preview(card, picture)
        return card_answer(house.networks.find(kind, name), house.store.options)

    return router
