"""How an option is declared: a typed pydantic field that carries its label, bounds and help."""

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from modules.settings.checks import check_plain

__all__ = ["ChoiceSource", "ComponentKind", "Section", "option"]


class ComponentKind(StrEnum):
    """The control that an option has on the Settings page."""

    CHECKBOX = "checkbox"
    NUMBER = "number"
    SLIDER = "slider"
    TEXT = "text"
    RADIO = "radio"
    DROPDOWN = "dropdown"
    MULTISELECT = "multiselect"


class ChoiceSource(StrEnum):
    """Where the choices of an option come from when only the running program knows them."""

    CHECKPOINTS = "checkpoints"
    VAES = "vaes"
    NETWORKS = "networks"
    HYPERNETWORKS = "hypernetworks"
    SAMPLERS = "samplers"
    TABS = "tabs"
    OPTIONS = "options"
    INFOTEXT_FIELDS = "infotext fields"


class Section(BaseModel):
    """A section of the Settings page; its options are the fields of a subclass."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    section_id: ClassVar[str] = ""
    section_title: ClassVar[str] = ""
    affects_pixels: ClassVar[bool] = False
    """Whether its options decide how a picture looks, where they do not say otherwise themselves."""

    @field_validator("*")
    @classmethod
    def _plain_text(cls, value: Any) -> Any:
        return check_plain(value)


def option(
    default: Any,
    label: str,
    *,
    help: str = "",
    step: float | None = None,
    source: ChoiceSource | None = None,
    restricted: bool = False,
    needs_reload: bool = False,
    affects_pixels: bool | None = None,
    **bounds: float,
) -> Any:
    """A field of a `Section`.

    bounds: pydantic's `ge` and `le`. step: of a slider.
    restricted: names or opens a place, on the disk or in the network, so it is not for strangers
    (`--hide-ui-dir-config`).
    needs_reload: has effect once the page is loaded again.
    affects_pixels: another value can make another picture, so pictures carry it in their record; None: as
    the section says.
    """
    details = {
        "step": step,
        "source": source,
        "restricted": restricted,
        "needs_reload": needs_reload,
        "affects_pixels": affects_pixels,
    }
    field: Any = Field
    return field(default, title=label, description=help, json_schema_extra=details, **bounds)
