"""An order: a request made definite, as plain data that a store, another process or a picture can carry."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from modules.generation.img2img_request import Img2ImgRequest
from modules.generation.script_plan import ScriptPlan
from modules.generation.seeds import draw_seed
from modules.generation.strips import VaeStrips
from modules.generation.txt2img_request import Txt2ImgRequest
from modules.prompts import StyleBook
from modules.settings import Options, decisive_settings

__all__ = ["Order", "PictureKinds", "StyleTexts", "kind_of", "make_order"]


Kind = Literal["txt2img", "img2img"]
PictureKinds = Txt2ImgRequest | Img2ImgRequest


def kind_of(request: Any) -> Kind:
    """Which kind `request` is, as a model or as plain data."""
    if isinstance(request, dict):
        return "img2img" if "init_images" in request else "txt2img"
    return "img2img" if isinstance(request, Img2ImgRequest) else "txt2img"


AnyRequest = Annotated[
    Annotated[Txt2ImgRequest, Tag("txt2img")] | Annotated[Img2ImgRequest, Tag("img2img")],
    Discriminator(kind_of),
]


class StyleTexts(BaseModel):
    """A style as it was when the order was given; the book may change afterwards."""

    model_config = ConfigDict(frozen=True)

    name: str
    prompt: str = ""
    negative_prompt: str = ""


class Order(BaseModel):
    """All that decides the pictures of one request, but for the files of the models. JSON in, JSON out.

    The request's seeds are drawn; `settings` holds every setting, the request's own laid over the others.
    """

    model_config = ConfigDict(frozen=True)

    request: AnyRequest
    settings: dict[str, Any]
    styles: tuple[StyleTexts, ...] = ()
    save: bool = False
    threads: int | None = Field(default=None, ge=1, le=1024)
    """Threads to compute with on a processor, where bits depend on it; None: those of the program."""
    script: ScriptPlan | None = None
    """What the request's script decided."""
    vae_strips: VaeStrips | None = None
    """How the VAE works where the whole would not fit."""
    notes: tuple[str, ...] = ()
    """What of the settings could not be done, for whoever looks at the pictures."""

    @property
    def kind(self) -> Kind:
        """Which kind of request it is."""
        return kind_of(self.request)

    @property
    def pictures(self) -> int:
        """How many pictures are asked for."""
        return self.request.batch_size * self.request.n_iter

    @property
    def passes(self) -> tuple[tuple[int, int], ...]:
        """Width and height of each pass of a group before a hires pass: one, but for a script's plan."""
        return self.script.passes if self.script else ((self.request.width, self.request.height),)


def make_order(
    request: PictureKinds,
    options: Options,
    book: StyleBook,
    save: bool | None = None,
    threads: int | None = None,
    script: ScriptPlan | None = None,
) -> Order:
    """The order for `request` under `options`, in which the request's own settings are laid over already.

    `save` None takes the request's `save_images`. Raises NotFound for a style that does not exist.
    """
    styles = [book.find(name) for name in request.styles]
    drawn = {"seed": draw_seed(request.seed), "subseed": draw_seed(request.subseed)}
    return Order(
        request=request.model_copy(update=drawn),
        settings=decisive_settings(options),
        styles=tuple(
            StyleTexts(name=style.name, prompt=style.prompt, negative_prompt=style.negative_prompt)
            for style in styles
        ),
        save=request.save_images if save is None else save,
        threads=threads,
        script=script,
    )
