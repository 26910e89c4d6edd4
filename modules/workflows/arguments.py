"""Arguments of a workflow, each declared once: the page's control, the API's description and the check are
made from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from modules.errors import InvalidRequest
from modules.generation import sentence_of_errors

__all__ = [
    "Argument",
    "Arguments",
    "Control",
    "Note",
    "checkboxes",
    "describe_arguments",
    "note",
    "radio",
    "read_arguments",
    "slider",
]


class Control(StrEnum):
    """What the page shows for an argument."""

    SLIDER = "slider"
    RADIO = "radio"
    CHECKBOXES = "checkboxes"
    NOTE = "note"


class Arguments(BaseModel):
    """The arguments of one workflow: fields in the order of `script_args`, made by the functions below."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def as_list(self) -> list[Any]:
        """They as `script_args` hold them, as plain data."""
        return list(self.model_dump(mode="json").values())


A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True)
class Argument:
    """An argument as it is shown. Bounds are those of the slider; the API may take more."""

    name: str
    label: str
    control: Control
    default: Any
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] | None = None


def _field(shown: Argument, default: Any, **checks: Any) -> Any:
    return Field(default, json_schema_extra={"argument": shown}, **checks)  # type: ignore[dict-item]


def slider(
    label: str, default: float, minimum: float, maximum: float, step: float, *, most: float | None = None
) -> Any:
    """A number between `minimum` and `maximum`; over the API up to `most`, where that is more."""
    shown = Argument("", label, Control.SLIDER, default, minimum, maximum, step)
    return _field(shown, default, ge=minimum, le=maximum if most is None else most)


def radio(label: str, default: StrEnum) -> Any:
    """One of the values of an enumeration."""
    shown = Argument("", label, Control.RADIO, default.value, choices=tuple(type(default)))
    return _field(shown, default)


def checkboxes(label: str, default: tuple[StrEnum, ...]) -> Any:
    """Some of the values of an enumeration, one at least; all that there are is `default`."""
    choices = tuple(each.value for each in default)
    shown = Argument("", label, Control.CHECKBOXES, list(choices), choices=choices)
    return _field(shown, default, min_length=1)


Note = Annotated[None, BeforeValidator(lambda _: None)]
"""The type of a note: whatever is given in its place counts for nothing."""


def note(html: str) -> Any:
    """A sentence for the person, which takes an argument's place."""
    return _field(Argument("", "", Control.NOTE, html), None)


def _argument(name: str, field: FieldInfo) -> Argument:
    extra = field.json_schema_extra
    assert isinstance(extra, dict)
    shown = extra["argument"]
    assert isinstance(shown, Argument)
    return Argument(**{**vars(shown), "name": name})


def describe_arguments(kind: type[Arguments]) -> tuple[Argument, ...]:
    """The arguments of `kind` in their order."""
    return tuple(_argument(name, field) for name, field in kind.model_fields.items())


def read_arguments(kind: type[A], title: str, given: Sequence[Any]) -> A:
    """The arguments of the workflow `title`, from the values of `script_args`; those left out or null take
    their defaults.

    Raises InvalidRequest for a value that cannot be, and for values too many.
    """
    arguments = describe_arguments(kind)
    if len(given) > len(arguments):
        raise InvalidRequest(
            "script_args", f"{title} takes {len(arguments)} arguments; script_args holds {len(given)}."
        )
    pairs = zip(arguments, given, strict=False)
    values = {each.name: value for each, value in pairs if value is not None}
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise _refusal(title, arguments, error) from error


def _refusal(title: str, arguments: tuple[Argument, ...], error: ValidationError) -> InvalidRequest:
    first = error.errors()[0]
    label = next((each.label for each in arguments if first["loc"] and each.name == first["loc"][0]), "")
    sentence = sentence_of_errors([{**first, "loc": (f"{title}: {label}",)}])
    return InvalidRequest("script_args", str(sentence))
