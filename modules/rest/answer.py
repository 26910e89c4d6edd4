"""What all answers have in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

__all__ = ["Answer"]


class Answer(BaseModel):
    """A shape that is answered.

    File names may be bytes that are no text, which Python carries as lone surrogates and no JSON can hold:
    each becomes a question mark, so that one such file does not cost the whole list.
    """

    model_config = ConfigDict(protected_namespaces=())

    @model_validator(mode="before")
    @classmethod
    def _as_text(cls, values: Any) -> Any:
        return _writable(values)


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_writable(key): _writable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(each) for each in value]
    return value
