"""Settings that the command line forbids to change."""

from dataclasses import dataclass

from modules.flags import Flags
from modules.settings.options import describe_options

__all__ = ["Frozen", "frozen_keys"]


@dataclass(frozen=True)
class Frozen:
    """Everything, or some keys; each with the flag that did it.

    `places` are the keys that name a place on the disk: these not even one request may lay over.
    """

    everything: bool
    reasons: dict[str, str]
    places: dict[str, str]

    def reason(self, key: str) -> str | None:
        """Why the setting `key` cannot be changed, None if it can."""
        if self.everything:
            return "the program was started with --freeze-settings"
        return self.reasons.get(key) or self.places.get(key)


def frozen_keys(flags: Flags) -> Frozen:
    """What `--freeze-settings` and its two narrower forms forbid; and the places on the disk, which
    `--hide-ui-dir-config` and serving others (`--listen`, `--share`, `--server-name`) keep from strangers.
    """
    closed_by = _closing_flag(flags)
    places: dict[str, str] = {}
    sections = _words(flags.freeze_settings_in_sections)
    reasons = dict.fromkeys(_words(flags.freeze_specific_settings), "--freeze-specific-settings names it")
    for info in describe_options():
        if info.section_id in sections:
            reasons[info.key] = f"--freeze-settings-in-sections names its section {info.section_id}"
        if info.restricted and closed_by:
            places[info.key] = f"strangers choose no place, and the program was started with {closed_by}"
    return Frozen(flags.freeze_settings, reasons, places)


def _closing_flag(flags: Flags) -> str | None:
    return "--hide-ui-dir-config" if flags.hide_ui_dir_config else flags.files_closed_by


def _words(text: str | None) -> set[str]:
    return {word.strip() for word in (text or "").split(",") if word.strip()}
