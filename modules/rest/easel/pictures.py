"""Watching a job and fetching its pictures, while it runs and after."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from modules.door import Router
from modules.errors import NotFound
from modules.house import House
from modules.rest.easel.answers import PictureList, picture_answer
from modules.rest.easel.events import EVENT_STREAM, all_events, job_events, stream
from modules.rest.easel.files import PictureFile, file_answer, find_picture, picture_file, thumbnail
from modules.rest.easel.jobs import JobId
from modules.rest.errors import error_statuses
from modules.rest.pictures import encode_bytes
from modules.rest.previews import PreviewEncoder

__all__ = ["picture_routes"]

MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp", "image/avif", "image/gif")
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES},
    },
    304: {"description": "The caller has it already, as If-None-Match says."},
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events, each with a number as `id` and JSON as `data`.",
        "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
    }
}
GONE: dict[int | str, dict[str, Any]] = {204: {"description": "There is none, or no more."}}
PictureName = Annotated[str, Path(max_length=200, description="Its number in the job from 0, or `grid`.")]
Previews = Annotated[bool, Query(description="Have previews made while this is watched.")]
Side = Annotated[
    int | None, Query(ge=16, le=2048, description="In small: the longer side in pixels, as WebP.")
]
Quiet = Annotated[
    bool,
    Query(
        description="Answer 204 where it is no more, not 404, which browsers report as an error of the page."
    ),
]
As = Annotated[
    Literal["facts", "base64"], Query(alias="as", description="base64 puts the files into the answer.")
]


def picture_routes(house: House, previews: PreviewEncoder) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = Router(prefix="/easel/v1", tags=["jobs"], responses=error_statuses(404, 422))

    @router.get("/jobs/{job_id}/pictures")
    def list_pictures(job_id: JobId, form: As = "facts") -> PictureList:
        """The finished pictures of a job; those that are still drawn come later."""
        job = house.queue.get(job_id)
        answers = []
        for picture in job.pictures:
            answer = picture_answer(job, picture)
            if form == "base64":
                file = picture_file(job, picture)
                answer.media_type, answer.data = file.media_type, encode_bytes(file.data)
            answers.append(answer)
        return PictureList(pictures=answers)

    @router.get(
        "/jobs/{job_id}/pictures/{name}",
        response_class=Response,
        responses=FILE | GONE,
    )
    def get_picture(
        job_id: JobId, name: PictureName, request: Request, size: Side = None, quiet: Quiet = False
    ) -> Response:
        """A finished picture as a file, while others of the job are still drawn."""
        try:
            job = house.queue.get(job_id)
            file = picture_file(job, find_picture(job, name))
        except NotFound:
            if quiet:
                return Response(status_code=204)
            raise
        return file_answer(thumbnail(file, size) if size else file, request)

    @router.get(
        "/jobs/{job_id}/preview",
        response_class=Response,
        responses=FILE | GONE,
    )
    async def get_preview(job_id: JobId, request: Request, quiet: Quiet = False) -> Response:
        """The newest look at the picture that is being drawn. Asking for it has previews made for a while."""
        try:
            preview = house.queue.get(job_id).look_at_preview()
        except NotFound:
            if not quiet:
                raise
            preview = None
        if preview is None:
            return Response(status_code=204)
        kind = house.store.options.live_previews_image_format
        data = await previews.encoded(preview, kind)
        return file_answer(PictureFile(f"preview-{preview.number}.{kind}", f"image/{kind}", data), request)

    @router.get(
        "/jobs/{job_id}/events",
        response_class=StreamingResponse,
        responses=EVENTS,
    )
    async def watch_job(job_id: JobId, previews: Previews = False) -> StreamingResponse:
        """What happens to a job, as server-sent events, from how it stands now until it ends.

        Events are `state`, `progress`, `preview`, `picture` and `note`; their data is a JobNews. A comment is
        sent when nothing happened for 15 seconds. Who reads slowly gets the newest state.
        """
        return stream(job_events(house, house.queue.get(job_id), previews))

    @router.get("/events", response_class=StreamingResponse, responses=EVENTS)
    async def watch_all() -> StreamingResponse:
        """What happens to all jobs, `queue` with a QueueAnswer when the order of the work changes, and
        `settings` with the checkpoint when settings do.
        """
        return stream(all_events(house))

    return router
