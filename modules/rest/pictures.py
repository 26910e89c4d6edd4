"""Pictures in JSON: on their way out, those that are given by their address, and one for the examples."""

import base64
import threading
import time
from collections.abc import Mapping
from typing import TypeVar

from modules.door import FetchRules, TooManyFetches, fetch_picture
from modules.generation import Img2ImgRequest, PictureRequest
from modules.house import House
from modules.imaging import is_address

__all__ = ["EXAMPLE_PICTURE", "GivenPictures", "encode_bytes"]

EXAMPLE_PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFUlEQVR42mP8//8/AzbAxIADDE4JAFbUAw3/dxQWAAAAAElFTkSuQmCC"
)
"""A small PNG for the examples of the OpenAPI document."""
MOST_CALLS = 8
"""Calls that fetch at the same time. Each holds one of the 40 threads that answer everybody."""

R = TypeVar("R", bound=PictureRequest)


def encode_bytes(data: bytes) -> str:
    """Base64 text without a data URL's head, as the field's clients expect."""
    return base64.b64encode(data).decode("ascii")


class GivenPictures:
    """The pictures that calls give: in base64, or by an address that is fetched. One for the whole API.

    Its methods block while they fetch, so they are not for the event loop. They raise InvalidRequest for a
    picture that cannot be fetched, and TooManyFetches at once when `most_calls` fetch already.
    """

    def __init__(self, house: House, most_calls: int = MOST_CALLS) -> None:
        self._house = house
        self._places = threading.BoundedSemaphore(most_calls)

    def text(self, field: str, text: str) -> str:
        """One picture in base64."""
        return self.texts({field: text})[field]

    def texts(self, texts: Mapping[str, str]) -> dict[str, str]:
        """The pictures by field, in base64. All together have the time of one and the size of a request."""
        if not any(map(is_address, texts.values())):
            return dict(texts)
        if not self._places.acquire(blocking=False):
            raise TooManyFetches
        try:
            return self._fetched(texts)
        finally:
            self._places.release()

    def of_request(self, request: R) -> R:
        """The request with its pictures in base64, so that a job holds the picture and not where it was."""
        if not isinstance(request, Img2ImgRequest):
            return request
        starts = {f"init_images.{number}": text for number, text in enumerate(request.init_images)}
        masks = {name: text for name in ("mask", "latent_mask") if (text := getattr(request, name))}
        given = self.texts(starts | masks)
        pictures = tuple(given.pop(field) for field in starts)
        return request.model_copy(update={"init_images": pictures, **given})

    def _fetched(self, texts: Mapping[str, str]) -> dict[str, str]:
        rules = FetchRules.of(self._house.store.options, self._house.flags)
        left, deadline = self._house.flags.max_request_size * 2**20, time.monotonic() + rules.seconds
        given = dict(texts)
        for field, text in texts.items():
            if is_address(text):
                data = fetch_picture(field, text, rules.within(left, deadline - time.monotonic()))
                given[field] = encode_bytes(data)
                left -= len(data)
        return given
