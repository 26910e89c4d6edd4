"""Merges and conversions: planned, begun, followed, ended."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse

from modules.door import HostAct, Router, refuse_strangers
from modules.house import House
from modules.merging import MergePlan, plan_convert, plan_merge
from modules.rest.easel.merge_answers import (
    ConversionOrder,
    DryRunAnswer,
    MergeAnswer,
    MergeList,
    MergeOrder,
    dry_run_answer,
    merge_answer,
)
from modules.rest.errors import error_statuses

__all__ = ["merge_routes"]

MergeId = Annotated[str, Path(max_length=200, description="As the answer that began it says.")]
BEGUN: dict[int | str, dict[str, Any]] = {
    200: {"model": DryRunAnswer, "description": "What would be written, for a dry run."},
    **error_statuses(409),
}


def merge_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = Router(prefix="/easel/v1", tags=["merging"], responses=error_statuses(404, 422))

    @router.get("/merges")
    def list_merges() -> MergeList:
        """The merges and conversions since the start, newest first."""
        return MergeList(merges=[merge_answer(task) for task in reversed(house.bench.all())])

    @router.post("/merges", status_code=202, response_model=MergeAnswer, responses=BEGUN)
    def merge(order: MergeOrder, response: Response) -> MergeAnswer | Response:
        """Make a checkpoint of others, in the background. With `dry_run` what would be is told."""
        guard(order.dry_run)
        return begun(plan_merge(order, house.merge_shelves), order.dry_run, response)

    @router.post("/conversions", status_code=202, response_model=MergeAnswer, responses=BEGUN)
    def convert(order: ConversionOrder, response: Response) -> MergeAnswer | Response:
        """Write a checkpoint once more in another form, in the background; it is followed as a merge is."""
        guard(order.dry_run)
        return begun(plan_convert(order, house.merge_shelves), order.dry_run, response)

    def guard(is_dry: bool) -> None:
        if not is_dry:
            refuse_strangers(house.flags, HostAct.WRITE_MODELS)

    def begun(plan: MergePlan, is_dry: bool, response: Response) -> MergeAnswer | Response:
        if is_dry:
            return JSONResponse(dry_run_answer(plan.dry_run).model_dump(mode="json"))
        answer = merge_answer(house.bench.begin(plan))
        response.headers["Location"] = answer.url
        return answer

    @router.get("/merges/{merge_id}")
    def get_merge(merge_id: MergeId) -> MergeAnswer:
        """How far a merge or conversion is."""
        return merge_answer(house.bench.get(merge_id))

    @router.post("/merges/{merge_id}/interrupt")
    def interrupt(merge_id: MergeId) -> MergeAnswer:
        """End a merge or conversion; no file is left of it."""
        refuse_strangers(house.flags, HostAct.WRITE_MODELS)
        return merge_answer(house.bench.interrupt(merge_id))

    return router
