"""Extra networks: the cards of checkpoints, LoRAs, hypernetworks and textual inversions.

A `Card` is what the file says (`facts`, kept on the disk by `index`), what lies beside it (`beside`,
`sidecar`) and its picture (`previews`, `covers`). The `Catalogue` makes them of the shelves, `listing` says
which are shown.
"""

from modules.extra_networks.addresses import preview_address
from modules.extra_networks.card import Card, PreviewFile
from modules.extra_networks.catalogue import Catalogue, Look
from modules.extra_networks.covers import COVER_KEYS
from modules.extra_networks.insertion import Insertion, insertion_of
from modules.extra_networks.kinds import NetworkKind
from modules.extra_networks.listing import FolderCount, Listing, ShownRules, SortField, Wish, list_cards
from modules.extra_networks.previews import PreviewPicture, Previews, replace_preview
from modules.extra_networks.sidecar import KEYS_OF_KIND, Sidecar
from modules.extra_networks.training import TagCount, TrainingFacts, read_training
from modules.extra_networks.versions import ModelVersion

__all__ = [
    "COVER_KEYS",
    "KEYS_OF_KIND",
    "Card",
    "Catalogue",
    "FolderCount",
    "Insertion",
    "Listing",
    "Look",
    "ModelVersion",
    "NetworkKind",
    "PreviewFile",
    "PreviewPicture",
    "Previews",
    "ShownRules",
    "Sidecar",
    "SortField",
    "TagCount",
    "TrainingFacts",
    "Wish",
    "insertion_of",
    "list_cards",
    "preview_address",
    "read_training",
    "replace_preview",
]
