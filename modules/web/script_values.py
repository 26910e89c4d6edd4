"""The Script menu's controls and a request's script: from the one to the other."""

from collections.abc import Mapping
from typing import Any

from modules.errors import InvalidRequest
from modules.workflows import MENU, Argument, Redrawing, Tab

__all__ = ["NO_SCRIPT", "SCRIPT", "argument_field", "controls_of_script", "script_of_controls"]

NO_SCRIPT = "None"
SCRIPT, ARGUMENTS = "script_name", "script_args"
PREFIX = "script."

Values = dict[str, Any]


def argument_field(workflow: Redrawing[Any], argument: Argument) -> str:
    """The name in the form of the control for an argument."""
    return f"{PREFIX}{workflow.slug}.{argument.name}"


def script_of_controls(tab: str, values: Mapping[str, Any]) -> Values:
    """`values` of a tab's controls with the chosen script's name and arguments in the place of all scripts'
    controls. Raises InvalidRequest for a script that the tab does not have.
    """
    kept = {field: value for field, value in values.items() if not field.startswith(PREFIX)}
    title = kept.pop(SCRIPT, None) or NO_SCRIPT
    if title == NO_SCRIPT:
        return kept
    if not isinstance(title, str):
        raise InvalidRequest(SCRIPT, f"{SCRIPT} has to be a script's name, not {str(title)[:60]!r}.")
    workflow = MENU.find(title, Tab(tab))
    fields = [argument_field(workflow, argument) for argument in workflow.described_arguments()]
    return {**kept, SCRIPT: workflow.title, ARGUMENTS: [values.get(field) for field in fields]}


def controls_of_script(tab: str, values: Mapping[str, Any]) -> Values:
    """What the menu and the controls of the script show of request `values`; nothing where these do not speak
    of scripts.
    """
    if SCRIPT not in values:
        return {}
    try:
        workflow = MENU.find(values[SCRIPT] or NO_SCRIPT, Tab(tab))
    except InvalidRequest:
        return {SCRIPT: NO_SCRIPT}
    given = zip(workflow.described_arguments(), values.get(ARGUMENTS) or (), strict=False)
    shown = {argument_field(workflow, each): value for each, value in given if value is not None}
    return {SCRIPT: workflow.title, **shown}
