"""Settings of describing pictures: captions and tags."""

from typing import ClassVar

from modules.settings.declare import Section, option

__all__ = ["Interrogate"]


class Interrogate(Section):
    """How a picture is put into words."""

    section_id: ClassVar[str] = "interrogate"
    section_title: ClassVar[str] = "Interrogate"

    interrogate_keep_models_in_memory: bool = option(
        False,
        "Keep models in VRAM",
        help="The next picture is described sooner; otherwise a model leaves the memory after its answer.",
    )
    interrogate_time_limit: int = option(
        120,
        "Seconds that a model may take",
        help="One that takes longer, or is given no end by its file, is ended.",
        ge=5,
        le=3600,
    )
    interrogate_return_ranks: bool = option(
        False,
        "Include ranks of model tags matches in results",
        help="A tag is written with its score, as (tag:0.823).",
    )
    interrogate_clip_num_beams: int = option(
        1, "BLIP: num_beams", help="Sentences that are followed at once.", ge=1, le=16
    )
    interrogate_clip_min_length: int = option(
        24, "BLIP: minimum description length", help="In tokens.", ge=1, le=128
    )
    interrogate_clip_max_length: int = option(
        48, "BLIP: maximum description length", help="In tokens.", ge=1, le=256
    )
    interrogate_deepbooru_score_threshold: float = option(
        0.5,
        "deepbooru: score threshold",
        help="Tags below it are left out.",
        ge=0,
        le=1,
        step=0.01,
    )
    deepbooru_sort_alpha: bool = option(
        True, "deepbooru: sort tags alphabetically", help="Otherwise by their score."
    )
    deepbooru_use_spaces: bool = option(
        True, "deepbooru: use spaces in tags", help="In the place of underscores."
    )
    deepbooru_escape: bool = option(
        True, "deepbooru: escape (\\) brackets", help="So that they do not mean emphasis."
    )
    deepbooru_filter_tags: str = option("", "deepbooru: filter out those tags", help="Separated by commas.")
