"""Settings: every option declared once; a snapshot of all; the file that keeps them."""

from modules.settings.declare import ChoiceSource, ComponentKind
from modules.settings.info import OptionInfo
from modules.settings.options import SECTIONS, Options, describe_options
from modules.settings.reading import read_options
from modules.settings.store import SettingsStore
from modules.settings.unknown import decisive_settings, sentences_about_unknown

__all__ = [
    "SECTIONS",
    "ChoiceSource",
    "ComponentKind",
    "OptionInfo",
    "Options",
    "SettingsStore",
    "decisive_settings",
    "describe_options",
    "read_options",
    "sentences_about_unknown",
]
