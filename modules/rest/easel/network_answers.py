"""What the routes of extra networks take and answer."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from modules.checkpoints import read_metadata
from modules.extra_networks import (
    KEYS_OF_KIND,
    Card,
    Listing,
    ModelVersion,
    NetworkKind,
    Wish,
    insertion_of,
    preview_address,
    read_training,
)
from modules.rest.answer import Answer
from modules.rest.pictures import EXAMPLE_PICTURE
from modules.settings import Options

__all__ = [
    "CardAnswer",
    "CardDetails",
    "CardList",
    "CardText",
    "PreviewOrder",
    "card_answer",
    "card_details",
    "card_list",
]

Text = Annotated[str, Field(max_length=100_000)]


class CardAnswer(Answer):
    """A network with what its file and the files beside it say."""

    kind: NetworkKind
    name: str = Field(description="What the routes call it; what prompts call it stands in `prompt`.")
    label: str = Field(description="The file's name without its extension.")
    folder: str = Field(description="Its sub-folder; empty: none.", examples=["styles/ink"])
    path: str
    size: int = Field(description="Bytes.")
    created: datetime
    modified: datetime
    hash: str | None = Field(None, description="Short hash, as far as it is known already.")
    version: ModelVersion = Field(description="The version of Stable Diffusion that it is made for.")
    description: str
    activation_text: str
    preferred_weight: float = Field(description="0: the setting's.")
    negative_text: str
    notes: str
    remark: str = Field(
        description="What is to be known of where its file lies and how prompts call it; empty: nothing."
    )
    prompt: str = Field(
        description="What using it puts into the prompt.", examples=["<lora:ink:0.8> ink drawing"]
    )
    negative_prompt: str
    preview: str | None = Field(
        None, description="Where its picture is, below the server; null: it has none."
    )
    has_metadata: bool = Field(description="Whether the file carries any.")
    is_read: bool = Field(description="false: the file was not opened yet; ask again.")


class FolderAnswer(Answer):
    """A sub-folder, with how many cards lie in it and below it."""

    path: str
    count: int


class CardList(BaseModel):
    """A page of cards."""

    cards: list[CardAnswer]
    total: int = Field(description="Cards on all pages.")
    page: int
    pages: int
    other_versions: int = Field(
        description="How many are left out: they are made for other models than the checkpoint in use."
    )
    unread: int = Field(description="Files that are still being opened; ask again in a moment.")
    folders: list[FolderAnswer]


class TagAnswer(Answer):
    """A tag of the training pictures."""

    tag: str
    count: int


class FactAnswer(Answer):
    """A fact about a file."""

    name: str
    value: str


class CardDetails(CardAnswer):
    """A card with all that is told about its file."""

    facts: list[FactAnswer]
    tags: list[TagAnswer] = Field(description="Of the training pictures, most frequent first.")
    editable: list[str] = Field(description="The fields that PUT takes.")
    closed_by: str | None = Field(None, description="The flag for which nothing can be changed; null: open.")


class CardText(BaseModel):
    """What a person writes about a network; fields that are left out stay as they are."""

    description: Text | None = Field(
        None, description="What is shown on the card.", examples=["Drawings in ink"]
    )
    sd_version: Literal["SD1", "SD2", "SDXL", "SD3", "Unknown"] | None = Field(
        None, description="The version of Stable Diffusion that it is made for; Unknown: as the file tells."
    )
    activation_text: Text | None = Field(
        None, description="Put into the prompt with it.", examples=["ink drawing"]
    )
    preferred_weight: float | None = Field(None, ge=0, le=2, description="0: the setting's.", examples=[0.8])
    negative_text: Text | None = Field(None, description="Put into the negative prompt with it.")
    notes: Text | None = Field(None, description="For the person alone.")


class PreviewOrder(BaseModel):
    """A picture for a card."""

    picture: str = Field(
        description="The file in base64, with or without a data URL's head.", examples=[EXAMPLE_PICTURE]
    )


def card_answer(card: Card, options: Options) -> CardAnswer:
    """What is told about a card."""
    return CardAnswer(**_values(card, options))


def card_details(card: Card, options: Options, closed_by: str | None, refusal: str = "") -> CardDetails:
    """All that is told about a card; the metadata of its file are read for it.

    refusal: why the loaded checkpoint cannot use it.
    """
    training = read_training(read_metadata(card.path))
    rows = [("File", card.path.name), ("Folder", str(card.path.parent)), ("Size", _size(card.size))]
    rows += [("Hash", card.short_hash or ""), ("Changed", f"{_moment(card.modified):%Y-%m-%d %H:%M}")]
    rows += [("Not used", refusal)]
    return CardDetails(
        **_values(card, options),
        facts=[FactAnswer(name=name, value=value) for name, value in (*rows, *training.rows) if value],
        tags=[TagAnswer(tag=each.tag, count=each.count) for each in training.tags],
        editable=list(KEYS_OF_KIND[card.kind]),
        closed_by=closed_by,
    )


def card_list(listing: Listing, wish: Wish, options: Options) -> CardList:
    """A page of cards as it is told."""
    return CardList(
        cards=[card_answer(card, options) for card in listing.cards],
        total=listing.total,
        page=wish.page,
        pages=-(-listing.total // wish.page_size),
        other_versions=listing.other_versions,
        unread=listing.unread,
        folders=[FolderAnswer(path=folder.path, count=folder.count) for folder in listing.folders],
    )


def _values(card: Card, options: Options) -> dict[str, Any]:
    text, inserted = card.said.sidecar, insertion_of(card, options)
    return {
        "kind": card.kind,
        "name": card.name,
        "label": card.label,
        "folder": card.folder,
        "path": str(card.path),
        "size": card.size,
        "created": _moment(card.created),
        "modified": _moment(card.modified),
        "hash": card.short_hash,
        "version": card.version,
        "description": card.description,
        "activation_text": card.activation_text,
        "preferred_weight": text.preferred_weight,
        "negative_text": text.negative_text,
        "notes": text.notes,
        "remark": card.note,
        "prompt": inserted.prompt,
        "negative_prompt": inserted.negative,
        "preview": preview_address(card),
        "has_metadata": card.said.facts.has_metadata,
        "is_read": card.is_read,
    }


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _size(size: int) -> str:
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} bytes"
