"""The calls that Gradio's page makes of its server: which there are, and what form they have."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr
import orjson
from anyio.to_thread import run_sync
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from modules.errors import InvalidRequest
from modules.foreign_json import JsonBounds, parse_json

__all__ = ["CALLS", "UPLOAD", "call_for_gradio", "is_used", "refuse_wrong_types"]

API = "/gradio_api"
CALLS = (f"{API}/queue/join", f"{API}/run/", f"{API}/api/", f"{API}/cancel", f"{API}/reset")
"""Routes of Gradio that take JSON."""
UPLOAD = f"{API}/upload"
USED = re.compile(
    r"/|/config/?|/(static|assets)/.+|/favicon\.ico|/robots\.txt|/(gradio_api/)?theme\.css"
    rf"|{API}/(queue/(join|data)|(run|api)/[^/]+/?|cancel|reset/?|upload|upload_progress|heartbeat/[^/]+"
    r"|info/?|app_id/?|startup-events|file=.+|custom_component/.+)"
)
BOUNDS = JsonBounds(bytes=4 << 20, depth=24, nodes=50_000)
ASIDE_BYTES = 64 << 10
"""Larger calls are read in a thread, so that nobody else waits."""
SCALARS = (str, int, float, bool)
TAKES: Mapping[type, tuple[type, ...]] = {
    gr.Textbox: (str,),
    gr.Number: (int, float),
    gr.Slider: (int, float),
    gr.Checkbox: (bool,),
    gr.CheckboxGroup: (list,),
    gr.Radio: SCALARS,
    gr.Dropdown: (*SCALARS, list),
    gr.HTML: (str,),
    gr.Button: (str,),
    gr.Image: (dict,),
    gr.File: (dict, list),
    gr.ImageEditor: (dict,),
    gr.Gallery: (list,),
}
"""What the page sends for a control; besides, every control may have nothing."""


class _Call(BaseModel):
    """A call of an event."""

    model_config = ConfigDict(extra="ignore")

    fn_index: int = Field(ge=0, lt=2**31)
    session_hash: str | None = Field(None, min_length=1, max_length=100)
    data: list[Any] = Field(max_length=2000)
    event_data: Any = None


class _Cancel(BaseModel):
    """What ends an event."""

    model_config = ConfigDict(extra="ignore")

    session_hash: str = Field(max_length=100)
    fn_index: int = Field(ge=0, lt=2**31)
    event_id: str = Field(max_length=100)


class _Reset(BaseModel):
    """What Gradio's page says when it is left."""

    model_config = ConfigDict(extra="ignore")

    event_id: str = Field(max_length=100)


def is_used(path: str) -> bool:
    """Whether the page asks for this of Gradio's server. What it never asks for is not served."""
    return USED.fullmatch(path) is not None


async def call_for_gradio(page: gr.Blocks, path: str, body: bytes) -> bytes:
    """The call in JSON that Gradio takes: only what the page sends, in the form in which it sends it.

    Numbers that are none become nothing. Raises JsonNotRead, and InvalidRequest for an event that there is
    not or that takes other values.
    """
    if len(body) > ASIDE_BYTES:
        return await run_sync(_call, page, path, body)
    return _call(page, path, body)


def _call(page: gr.Blocks, path: str, body: bytes) -> bytes:
    value = parse_json(body, "The call", BOUNDS)
    kind: type[BaseModel] = _Call
    if path.startswith((f"{API}/cancel", f"{API}/reset")):
        kind = _Cancel if path.startswith(f"{API}/cancel") else _Reset
    try:
        call = kind.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        raise InvalidRequest(
            place, f"{place} cannot be used in a call of the page: {first['msg']}."
        ) from error
    if isinstance(call, _Call):
        _refuse_unknown(page, call)
    try:
        return orjson.dumps(call.model_dump())
    except (TypeError, ValueError) as error:
        raise InvalidRequest("data", f"data holds a value that no control has: {error}.") from error


def _refuse_unknown(page: gr.Blocks, call: _Call) -> None:
    event = page.fns.get(call.fn_index)
    if event is None or event.fn is None:
        raise InvalidRequest("fn_index", f"The page has no event {call.fn_index}. Load the page anew.")
    if len(call.data) != len(event.inputs):
        raise InvalidRequest(
            "data",
            f"The event takes {len(event.inputs)} values, and {len(call.data)} came. Load the page anew.",
        )


def refuse_wrong_types(controls: Sequence[Any], values: Sequence[Any]) -> None:
    """Raises InvalidRequest for a value of another kind than its control has."""
    for control, value in zip(controls, values, strict=False):
        takes = next((kinds for kind, kinds in TAKES.items() if isinstance(control, kind)), None)
        if value is None or takes is None:
            continue
        is_right = isinstance(value, takes) and not (isinstance(value, bool) and bool not in takes)
        members = (
            value if isinstance(value, list) and isinstance(control, gr.Dropdown | gr.CheckboxGroup) else []
        )
        if not is_right or not all(isinstance(each, SCALARS) for each in members):
            name = getattr(control, "label", None) or getattr(control, "elem_id", None) or "a control"
            raise InvalidRequest(str(name), f"{name} cannot be {str(value)[:60]!r}: it is of another kind.")
