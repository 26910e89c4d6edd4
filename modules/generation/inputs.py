"""The pictures that requests start from, kept as files that are named by their contents.

A request that waits names them (`sha256:` and the digest); one that is drawn has them inside, in base64.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from modules.atomic import replace_file
from modules.errors import InvalidRequest
from modules.generation.request import PictureRequest
from modules.imaging import picture_file

__all__ = ["INPUT_FIELDS", "InputFiles", "input_digests", "reference_to"]

INPUT_FIELDS = ("init_images", "mask", "latent_mask")
PREFIX = "sha256:"
AnyRequest = TypeVar("AnyRequest", bound=PictureRequest)
REFERENCE = re.compile(rf"{PREFIX}([0-9a-f]{{64}})")


def reference_to(digest: str) -> str:
    """What stands in a request in the place of the picture whose file has this sha256."""
    return PREFIX + digest


def input_digests(request: PictureRequest) -> list[tuple[str, str]]:
    """The pictures that `request` gives, each by its field and the sha256 of its file."""
    return [
        (field, _digest(field, text))
        for field in INPUT_FIELDS
        for text in _texts(getattr(request, field, None))
    ]


class InputFiles:
    """The folder of these files. Whoever may remove some keeps others from reading meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def laid_away(self, request: AnyRequest) -> AnyRequest:
        """`request` with names in the place of its pictures, whose files are written, if they are not there.

        Raises OSError where one cannot be written, and InvalidRequest for a name without a file.
        """

        def lay_away(field: str, text: str) -> str:
            if REFERENCE.fullmatch(text):
                self._read(field, text)
                return text
            return reference_to(self.keep(_file_in(field, text)))

        return _changed(request, lay_away)

    def brought_back(self, request: AnyRequest) -> AnyRequest:
        """`request` with all its pictures inside. Raises InvalidRequest where one is kept no longer."""

        def bring_back(field: str, text: str) -> str:
            if not REFERENCE.fullmatch(text):
                return text
            return base64.b64encode(self._read(field, text)).decode()

        return _changed(request, bring_back)

    def keep(self, data: bytes) -> str:
        """Write a file, if it is not there; its sha256. Raises OSError."""
        digest = hashlib.sha256(data).hexdigest()
        if self.find(digest) is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            replace_file(self.folder / digest, data)
        return digest

    def find(self, digest: str) -> bytes | None:
        """The bytes of the file with this sha256; None where it is not there whole."""
        try:
            data = (self.folder / digest).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == digest else None

    def _read(self, field: str, text: str) -> bytes:
        data = self.find(text.removeprefix(PREFIX))
        if data is None:
            raise InvalidRequest(
                field,
                f"The picture {text[:18]}... is not kept any more: {self.folder} holds what the listed jobs "
                "start from. Send the picture itself.",
            )
        return data


def _texts(given: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) and given else tuple(given or ())


def _digest(field: str, text: str) -> str:
    named = REFERENCE.fullmatch(text)
    return named[1] if named else hashlib.sha256(_file_in(field, text)).hexdigest()


def _file_in(field: str, text: str) -> bytes:
    try:
        return picture_file(text)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(field, f"{field} is not a picture in base64: {error}.") from error


def _changed(request: AnyRequest, change: Callable[[str, str], str]) -> AnyRequest:
    """`request` with each of its pictures put through `change`, which is told the field."""
    changes: dict[str, Any] = {}
    for field in INPUT_FIELDS:
        given = getattr(request, field, None)
        if texts := tuple(change(field, text) for text in _texts(given)):
            changes[field] = texts[0] if isinstance(given, str) else texts
    return request.model_copy(update=changes) if changes else request
