"""Putting a picture into words: the field's Interrogate."""

from typing import Any

from anyio import to_thread
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from modules.client_values import without_nothing
from modules.door import Router
from modules.house import House
from modules.imaging import decoded
from modules.interrogation import CAPTION, TAGS, Description, Wanted, on_white
from modules.rest.answer import Answer
from modules.rest.errors import error_statuses
from modules.rest.pictures import EXAMPLE_PICTURE, GivenPictures
from modules.slow_work import SlowWork

__all__ = ["interrogate_routes"]

THREADS, MOST_CALLS = 4, 50
LONGEST_SIDE = 4096


class InterrogateCall(BaseModel):
    """A picture in base64 and who is asked."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"image": EXAMPLE_PICTURE, "model": "deepdanbooru"}]}
    )

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_the_default(cls, values: Any) -> Any:
        return without_nothing(values, names=("image", "model"))

    image: str = Field("", description="The picture, base64 with or without a data URL's head.")
    model: str = Field(
        CAPTION,
        max_length=200,
        description=f"{CAPTION} for a sentence, {TAGS} for tags, or a name of /easel/v1/interrogators.",
    )


class InterrogateAnswer(Answer):
    """What is on the picture."""

    caption: str = Field(description="A sentence, or tags with commas; empty when nothing is recognised.")
    model: str = Field(description="The name of the model that was asked.")
    note: str = Field("", description="A sentence for a person, about an empty caption.")


class InterrogatorAnswer(Answer):
    """A model that can be asked."""

    name: str
    gives: list[Wanted] = Field(description="What it answers with, the usual first.")


class InterrogatorsAnswer(Answer):
    """The models that can be asked."""

    interrogators: list[InterrogatorAnswer]


def interrogate_routes(house: House, given: GivenPictures) -> APIRouter:
    """The routes of this file, bound to `house` and the pictures that calls give."""
    router = Router()
    # Threads of its own: who waits for a large model holds none of those that answer.
    describing = SlowWork("pictures to be described", THREADS, MOST_CALLS)

    @router.post("/sdapi/v1/interrogate", tags=["pictures"], responses=error_statuses(404, 429))
    async def interrogate(call: InterrogateCall) -> InterrogateAnswer:
        """Describe a picture. A large model waits until the batch that is being drawn is done."""
        text = await to_thread.run_sync(given.text, "image", call.image)
        said = await describing.run(_described, house, text, call.model)
        return InterrogateAnswer(caption=said.text, model=said.model, note=said.note)

    @router.get("/easel/v1/interrogators", tags=["lists"], responses=error_statuses())
    def interrogators() -> InterrogatorsAnswer:
        """The models that describe pictures, as they lie in their folders at this moment."""
        offers = house.interrogation.offers()
        found = [InterrogatorAnswer(name=offer.name, gives=list(offer.gives)) for offer in offers]
        return InterrogatorsAnswer(interrogators=found)

    return router


def _described(house: House, image: str, model: str) -> Description:
    with decoded([("image", image)]) as [picture]:
        seen = on_white(picture)
    # It is kept while others are drawn; models look at a few hundred pixels a side.
    seen.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return house.interrogation.describe(seen, model, house.store.options)
