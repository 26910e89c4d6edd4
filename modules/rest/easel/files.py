"""Pictures of a job as files: the bytes, their media type and their ETag."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from fastapi import Request, Response
from PIL import Image

from modules.errors import NotFound
from modules.generation import MadePicture, picture_bytes
from modules.jobs import Job
from modules.rest.easel.answers import picture_name

__all__ = ["PictureFile", "file_answer", "find_picture", "picture_file", "thumbnail"]

THUMBNAIL_QUALITY = 85


@dataclass(frozen=True)
class PictureFile:
    """A picture ready to be sent."""

    name: str
    media_type: str
    data: bytes

    @property
    def etag(self) -> str:
        """A quoted text that changes with the bytes, and only with them."""
        return f'"{hashlib.sha256(self.data).hexdigest()[:40]}"'


def find_picture(job: Job, name: str) -> MadePicture:
    """The finished picture called `name`. Raises NotFound with the names that there are."""
    for picture in job.pictures:
        if picture_name(picture) == name:
            return picture
    names = ", ".join(picture_name(picture) for picture in job.pictures) or "none so far"
    raise NotFound(f"The job {job.id} has no finished picture called {name!r}. There are: {names}.")


def picture_file(job: Job, picture: MadePicture) -> PictureFile:
    """The file of `picture` as it was saved, or as it would be. Raises NotFound when it was deleted."""
    path = picture.file
    data = _read(path) if path else picture_bytes(picture, job.run)
    with Image.open(io.BytesIO(data)) as image:
        kind = (image.format or "png").lower()
    name = path.name if path else f"{picture_name(picture)}.{kind.replace('jpeg', 'jpg')}"
    return PictureFile(name, f"image/{kind}", data)


def thumbnail(file: PictureFile, side: int) -> PictureFile:
    """The picture in small, as WebP: its longer side is at most `side` pixels."""
    smaller = io.BytesIO()
    with Image.open(io.BytesIO(file.data)) as image:
        image.thumbnail((side, side))
        image.save(smaller, "webp", quality=THUMBNAIL_QUALITY)
    return PictureFile(f"{Path(file.name).stem}-{side}.webp", "image/webp", smaller.getvalue())


def file_answer(file: PictureFile, request: Request) -> Response:
    """The file, or status 304 for a caller who has it already."""
    headers = {
        "ETag": file.etag,
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f"inline; filename*=utf-8''{quote(file.name, errors='surrogateescape')}",
    }
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.data, media_type=file.media_type, headers=headers)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFound(f"The picture {path.name} is no longer in {path.parent}: {error.strerror}.") from error
