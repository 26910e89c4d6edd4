"""What options can be chosen from. Files come and go: static/js/settings.js asks for those anew."""

from collections.abc import Sequence

from modules.house import House
from modules.infotext import FIELDS
from modules.sampling import SAMPLERS
from modules.settings import ChoiceSource, OptionInfo, describe_options
from modules.web.menus import checkpoint_choices

__all__ = ["FILE_SOURCES", "SettingChoices"]

FILE_SOURCES = frozenset({ChoiceSource.VAES, ChoiceSource.NETWORKS, ChoiceSource.HYPERNETWORKS})
"""Those that are folders, with a button to look into them again."""


class SettingChoices:
    """The choices as they are now; `tabs` are the titles of the page's tabs."""

    def __init__(self, house: House, tabs: Sequence[str] = ()) -> None:
        self._house, self._tabs = house, tabs

    def __call__(self, info: OptionInfo) -> Sequence[str]:
        """What an option can be chosen from; nothing if it is free."""
        engine = self._house.engine
        known = {
            ChoiceSource.CHECKPOINTS: lambda: [title for _, title in checkpoint_choices(self._house)],
            ChoiceSource.VAES: lambda: [
                "Automatic",
                "None",
                *(file.name for file in engine.vae_shelf.list()),
            ],
            ChoiceSource.NETWORKS: lambda: ["None", *(file.name for file in engine.adapters.networks.list())],
            ChoiceSource.HYPERNETWORKS: lambda: [
                "None",
                *(file.name for file in engine.adapters.hypernetworks.list()),
            ],
            ChoiceSource.SAMPLERS: lambda: [each.name for each in SAMPLERS.values()],
            ChoiceSource.TABS: lambda: self._tabs,
            ChoiceSource.OPTIONS: lambda: [each.key for each in describe_options()],
            ChoiceSource.INFOTEXT_FIELDS: lambda: [field.key for field in FIELDS],
        }
        return known[info.source]() if info.source in known else info.choices

    def of_files(self, *, anew: bool) -> dict[str, Sequence[str]]:
        """The choices of each option that names a file, by its key. anew: look into the folders first."""
        if anew:
            self._house.engine.vae_shelf.refresh()
            self._house.engine.adapters.refresh()
        return {info.key: self(info) for info in describe_options() if info.source in FILE_SOURCES}
