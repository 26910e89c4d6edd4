"""Pictures on their way through JSON: base64 with or without a data URL's head."""

import base64
import binascii
import io

from PIL import Image

from modules.errors import InvalidRequest

__all__ = ["MAX_PIXELS", "decode_picture", "encode_bytes"]

MAX_PIXELS = 200_000_000


def encode_bytes(data: bytes) -> str:
    """Base64 text without a data URL's head, as the field's clients expect."""
    return base64.b64encode(data).decode("ascii")


def decode_picture(field: str, text: str) -> Image.Image:
    """The picture in base64 `text`, opened but not read: size and kind are judged by the header.

    Raises InvalidRequest when the text is no base64, no picture, or a picture of more than MAX_PIXELS.
    """
    try:
        data = base64.b64decode(text.split(",", 1)[-1], validate=False)
        picture = Image.open(io.BytesIO(data))
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest(field, f"{field} is not a picture in base64: {error}.") from error
    except (OSError, Image.DecompressionBombError, SyntaxError) as error:
        raise InvalidRequest(
            field, f"{field} holds {len(text)} characters that are not a picture this program can open."
        ) from error
    if picture.width * picture.height > MAX_PIXELS:
        raise InvalidRequest(
            field,
            f"{field} is {picture.width}x{picture.height}; "
            f"pictures of up to {MAX_PIXELS // 10**6} megapixels are read.",
        )
    return picture
