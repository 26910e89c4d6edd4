"""An order planned: names resolved, prompts with their styles, seeds of all pictures. Needs no model."""

from dataclasses import dataclass
from functools import cached_property

from modules.errors import InvalidRequest
from modules.generation.hires import HiresSize, size_of_second_pass
from modules.generation.img2img_request import Img2ImgRequest
from modules.generation.order import Order, PictureKinds
from modules.generation.refiner import RefinerRun, plan_refiner
from modules.generation.request import LARGEST_SIDE, SMALLEST_SIDE
from modules.generation.seeds import Seeds, seeds_of_pictures
from modules.generation.strips import VaeStrips
from modules.generation.txt2img_request import Txt2ImgRequest
from modules.prompts import NetworkTag, drawn_prompt, network_tag, take_network_tags
from modules.sampling import Sampler, SamplerSettings, Schedule, resolve_sampler, steps_of_strength
from modules.settings import Options, read_options
from modules.upscaling import LATENT_UPSCALERS, UPSCALERS

__all__ = ["HiresRun", "Run", "plan_run"]

SAME_SAMPLER = ("", "Use same sampler")
SAME_SCHEDULER = ("", "Use same scheduler")
SAME_CHECKPOINT = ("", "Use same checkpoint")


@dataclass(frozen=True)
class HiresRun:
    """The second pass: its size, its own sampler and prompts."""

    size: HiresSize
    upscaler: str
    steps: int
    strength: float
    sampler: Sampler
    schedule: Schedule
    prompt: str
    negative_prompt: str
    checkpoint: str | None
    wears_networks: bool = True

    @property
    def prompt_without_tags(self) -> str:
        """What the text encoder reads."""
        return take_network_tags(self.prompt)[0]

    @property
    def network_tags(self) -> list[NetworkTag]:
        """What its prompt asks for of adapters."""
        return take_network_tags(self.prompt)[1] if self.wears_networks else []


@dataclass(frozen=True)
class Run:
    """Everything that decides the pictures of one order, except the files of the models."""

    order: Order
    options: Options
    prompt: str
    negative_prompt: str
    seeds: Seeds
    sampler: Sampler
    schedule: Schedule
    sampler_settings: SamplerSettings
    tiling: bool
    hires: HiresRun | None
    refiner: RefinerRun | None = None

    @property
    def request(self) -> PictureKinds:
        """The request, its seeds drawn."""
        return self.order.request

    @property
    def other_checkpoints(self) -> tuple[str, ...]:
        """Those of the hires pass and of the refiner, where there are any."""
        hires = self.hires.checkpoint if self.hires else None
        names = hires, self.refiner.checkpoint if self.refiner else None
        return tuple(name for name in names if name)

    @property
    def save(self) -> bool:
        """Whether the pictures go into the outputs folder."""
        return self.order.save

    @property
    def prompt_without_tags(self) -> str:
        """What the text encoder reads: extra-network tags are taken out."""
        return take_network_tags(self.prompt)[0]

    @property
    def network_tags(self) -> list[NetworkTag]:
        """What the prompt asks for of adapters."""
        return [] if self.request.disable_extra_networks else take_network_tags(self.prompt)[1]

    @property
    def pictures(self) -> int:
        """How many pictures the request asks for."""
        return self.order.pictures

    @cached_property
    def groups(self) -> tuple[range, ...]:
        """The pictures (0-based) that are drawn together: the batches; each one alone with exact batches, and
        with a sampler that would let one picture change another.
        """
        mixes = self.sampler.mixes_pictures or (self.hires is not None and self.hires.sampler.mixes_pictures)
        size = 1 if self.options.exact_batches or mixes else self.request.batch_size
        return tuple(range(first, first + size) for first in range(0, self.pictures, size))

    @property
    def largest_pixels(self) -> int:
        """Pixels of the largest picture that is decoded."""
        hires = [(self.hires.size.scaled_width, self.hires.size.scaled_height)] if self.hires else []
        return max(width * height for width, height in (*self.order.passes, *hires))

    @property
    def vae_strips(self) -> VaeStrips | None:
        """How its large pictures go through the VAE; None where all go whole."""
        strips = self.order.vae_strips
        return strips if strips and strips.concern(self.largest_pixels) else None

    @property
    def first_steps(self) -> int:
        """Sampling steps of the first pass: with a picture to start from, its strength's share of them."""
        request = self.request
        if not isinstance(request, Img2ImgRequest):
            return request.steps
        exact = self.options.img2img_fix_steps
        return max(steps_of_strength(request.steps, request.denoising_strength, exact)[1] + 1, 1)

    @property
    def steps_of_group(self) -> int:
        """Sampling steps over all passes of one group."""
        return self.first_steps * len(self.order.passes) + (self.hires.steps if self.hires else 0)

    @property
    def steps_in_all(self) -> int:
        """Sampling steps over all groups and passes, for the progress bar."""
        return len(self.groups) * self.steps_of_group


def _with_networks(prompt: str, options: Options) -> str:
    """The prompt with the tags of the hypernetwork and the network that the settings add to every prompt."""
    named = {(tag.kind.lower(), tag.name) for tag in take_network_tags(prompt)[1]}
    added = (
        ("hypernet", options.sd_hypernetwork, options.sd_hypernetwork_strength),
        ("lora", options.sd_lora, options.extra_networks_default_multiplier),
    )
    return prompt + "".join(
        network_tag(kind, name, str(strength))
        for kind, name, strength in added
        if name not in (None, "", "None") and (kind, name) not in named
    )


def _texts(prompt: str, negative: str, order: Order, options: Options) -> tuple[str, str]:
    """Prompt and negative prompt with the order's styles and the settings' networks, by setting without
    comments.
    """
    has_comments = options.enable_prompt_comments
    texts = (
        drawn_prompt(prompt, [style.prompt for style in order.styles], has_comments=has_comments),
        drawn_prompt(negative, [style.negative_prompt for style in order.styles], has_comments=has_comments),
    )
    if order.request.disable_extra_networks:
        return texts
    return _with_networks(texts[0], options), texts[1]


def _plan_hires(order: Order, options: Options, styled: tuple[str, str]) -> HiresRun | None:
    request = order.request
    if not isinstance(request, Txt2ImgRequest) or not request.enable_hr:
        return None
    upscaler = request.hr_upscaler or next(iter(LATENT_UPSCALERS))
    known = [*LATENT_UPSCALERS, *UPSCALERS]
    if upscaler not in known:
        raise InvalidRequest(
            "hr_upscaler", f"There is no upscaler named {upscaler!r}; the upscalers are {', '.join(known)}."
        )
    size = size_of_second_pass(request)
    if min(size.width, size.height) < SMALLEST_SIDE:
        raise InvalidRequest(
            "hr_resize_x",
            f"The hires pass would be {size.width}x{size.height}; a side has to be {SMALLEST_SIDE} at least.",
        )
    if max(size.scaled_width, size.scaled_height) > LARGEST_SIDE:
        raise InvalidRequest(
            "hr_scale",
            f"The hires pass would be {size.scaled_width}x{size.scaled_height}; "
            f"a side can be {LARGEST_SIDE} at most. Lower the factor.",
        )
    name = request.sampler if (request.hr_sampler_name or "") in SAME_SAMPLER else request.hr_sampler_name
    scheduler = request.scheduler if (request.hr_scheduler or "") in SAME_SCHEDULER else request.hr_scheduler
    scheduler = scheduler or options.k_sched_type
    sampler, schedule = resolve_sampler(name or request.sampler, scheduler)
    own = _texts(request.hr_prompt, request.hr_negative_prompt, order, options)
    checkpoint = request.hr_checkpoint_name or ""
    return HiresRun(
        size=size,
        upscaler=upscaler,
        steps=request.hr_second_pass_steps or request.steps,
        strength=0.7 if request.denoising_strength is None else request.denoising_strength,
        sampler=sampler,
        schedule=schedule,
        prompt=own[0] if request.hr_prompt else styled[0],
        negative_prompt=own[1] if request.hr_negative_prompt else styled[1],
        checkpoint=None if checkpoint in SAME_CHECKPOINT else checkpoint,
        wears_networks=not request.disable_extra_networks,
    )


def plan_run(order: Order) -> Run:
    """The run for `order`: the same order gives the same run.

    Raises InvalidRequest for a sampler, schedule, upscaler or size that cannot be.
    """
    # An order may be older than the program that reads it: what is no longer a value takes its default.
    options = read_options(order.settings).options
    request = order.request
    sampler, schedule = resolve_sampler(request.sampler, request.scheduler or options.k_sched_type)
    styled = _texts(request.prompt, request.negative_prompt, order, options)
    hires = _plan_hires(order, options, styled)
    return Run(
        order=order,
        options=options,
        prompt=styled[0],
        negative_prompt=styled[1],
        seeds=seeds_of_pictures(request.seed, request.subseed, request.subseed_strength, order.pictures),
        sampler=sampler,
        schedule=schedule,
        sampler_settings=SamplerSettings.from_options(
            options,
            eta=request.eta,
            s_churn=request.s_churn,
            s_tmin=request.s_tmin,
            s_tmax=request.s_tmax,
            s_noise=request.s_noise,
            s_min_uncond=request.s_min_uncond,
        ),
        tiling=options.tiling if request.tiling is None else request.tiling,
        hires=hires,
        refiner=plan_refiner(request, options, hires=hires is not None),
    )
