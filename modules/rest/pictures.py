"""Pictures in JSON: on their way out, and one for the examples."""

import base64

__all__ = ["EXAMPLE_PICTURE", "encode_bytes"]

EXAMPLE_PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFUlEQVR42mP8//8/AzbAxIADDE4JAFbUAw3/dxQWAAAAAElFTkSuQmCC"
)
"""A small PNG for the examples of the OpenAPI document."""


def encode_bytes(data: bytes) -> str:
    """Base64 text without a data URL's head, as the field's clients expect."""
    return base64.b64encode(data).decode("ascii")
