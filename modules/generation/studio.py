"""Who works on a run."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from modules.generation.artist import Artist
from modules.generation.scripts import NoScripts, ScriptMenu
from modules.memory import MemoryMode

__all__ = ["Studio"]


@dataclass(frozen=True)
class Studio:
    """What a run works with: who draws the first pass, who the hires pass (mostly the same), and who takes
    over in the middle of them, if anybody; and the scripts that it may name. `lighten` has all that follows
    drawn in the next lighter memory mode, without adapters at first, and says in which; None: there is none.
    """

    first: Artist
    second: Artist
    refiner: Artist | None = None
    scripts: ScriptMenu = field(default_factory=NoScripts)
    lighten: Callable[[], MemoryMode | None] = lambda: None

    @property
    def artists(self) -> tuple[Artist, ...]:
        """All of them, each once."""
        named = self.first, self.second, self.refiner
        return tuple({id(artist): artist for artist in named if artist is not None}.values())

    def with_light_attention(self) -> "Studio":
        """The same people, their attention computed with the least memory."""
        lighter = {id(artist): artist.with_light_attention() for artist in self.artists}
        refiner = lighter[id(self.refiner)] if self.refiner else None
        return replace(self, first=lighter[id(self.first)], second=lighter[id(self.second)], refiner=refiner)
