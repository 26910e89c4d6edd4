"""Settings that the command line forbids to change."""

from dataclasses import dataclass

from modules.flags import Flags
from modules.settings.options import describe_options

__all__ = ["Frozen", "frozen_keys"]


@dataclass(frozen=True)
class Frozen:
    """Everything, or some keys; each with the flag that did it."""

    everything: bool
    reasons: dict[str, str]

    def reason(self, key: str) -> str | None:
        """Why the setting `key` cannot be changed, None if it can."""
        return "the program was started with --freeze-settings" if self.everything else self.reasons.get(key)


def frozen_keys(flags: Flags) -> Frozen:
    """What `--freeze-settings`, its two narrower forms, and `--hide-ui-dir-config` forbid."""
    sections = _words(flags.freeze_settings_in_sections)
    reasons = dict.fromkeys(_words(flags.freeze_specific_settings), "--freeze-specific-settings names it")
    for info in describe_options():
        if info.section_id in sections:
            reasons[info.key] = f"--freeze-settings-in-sections names its section {info.section_id}"
        if info.restricted and flags.hide_ui_dir_config:
            reasons[info.key] = (
                "it names a place on the disk, and the program was started with --hide-ui-dir-config"
            )
    return Frozen(flags.freeze_settings, reasons)


def _words(text: str | None) -> set[str]:
    return {word.strip() for word in (text or "").split(",") if word.strip()}
