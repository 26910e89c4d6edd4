"""Routes that list what pictures are made with: samplers, schedules, checkpoints, VAEs, styles, upscalers."""

from fastapi import APIRouter

from modules.door import Router
from modules.house import House
from modules.readings import READINGS
from modules.rest.errors import error_statuses
from modules.rest.sdapi.list_answers import (
    FaceRestorerItem,
    PromptStyleItem,
    RealesrganItem,
    SamplerItem,
    SchedulerItem,
    SdModelItem,
    SdVaeItem,
    UpscaleModeItem,
    UpscalerItem,
)
from modules.sampling import SAMPLERS, SCHEDULES
from modules.upscaling import LATENT_UPSCALERS, UPSCALERS

__all__ = ["list_routes"]

PLAIN_FACTOR = 4
"""What the field tells for upscalers that have no factor of their own."""


def list_routes(house: House) -> APIRouter:
    """The routes of this file, bound to `house`."""
    router = Router(prefix="/sdapi/v1", tags=["lists"], responses=error_statuses())
    router.get("/samplers", response_model=list[SamplerItem])(samplers)
    router.get("/schedulers", response_model=list[SchedulerItem])(schedulers)
    router.get("/upscalers", response_model=list[UpscalerItem])(upscalers)
    router.get("/latent-upscale-modes", response_model=list[UpscaleModeItem])(latent_upscale_modes)
    router.get("/face-restorers", response_model=list[FaceRestorerItem])(face_restorers)
    router.get("/realesrgan-models", response_model=list[RealesrganItem])(realesrgan_models)
    _file_routes(house, router)
    return router


def samplers() -> list[SamplerItem]:
    """The samplers, in the order of the menu."""
    return [
        SamplerItem(name=each.name, aliases=list(each.aliases), options=each.describe_options())
        for each in SAMPLERS.values()
    ]


def schedulers() -> list[SchedulerItem]:
    """The schedules of noise levels."""
    return [
        SchedulerItem(
            name=each.key,
            label=each.name,
            aliases=list(each.aliases) or None,
            default_rho=each.default_rho,
        )
        for each in SCHEDULES.values()
    ]


def upscalers() -> list[UpscalerItem]:
    """The upscalers of pictures."""
    return [UpscalerItem(name=name, scale=PLAIN_FACTOR) for name in UPSCALERS]


def latent_upscale_modes() -> list[UpscaleModeItem]:
    """The ways to enlarge latents in the hires pass."""
    return [UpscaleModeItem(name=name) for name in LATENT_UPSCALERS]


def face_restorers() -> list[FaceRestorerItem]:
    """The face restorers: none in this version."""
    return []


def realesrgan_models() -> list[RealesrganItem]:
    """The RealESRGAN models: none in this version."""
    return []


def _file_routes(house: House, router: APIRouter) -> None:
    @router.get("/sd-models")
    def sd_models() -> list[SdModelItem]:
        """The checkpoints that are found in the folders."""
        return [
            SdModelItem(
                title=file.title,
                model_name=file.model_name,
                hash=file.known_short_hash,
                sha256=file.known_sha256,
                filename=str(file.path),
                config=str(file.config_path) if file.config_path else None,
            )
            for file in house.engine.shelf.list()
        ]

    @router.get("/sd-vae")
    def sd_vae() -> list[SdVaeItem]:
        """The VAE files that are found in the folders."""
        return [
            SdVaeItem(model_name=file.name, filename=str(file.path)) for file in house.engine.vae_shelf.list()
        ]

    @router.post("/refresh-checkpoints")
    def refresh_checkpoints() -> None:
        """Look into the checkpoint folders again."""
        READINGS.ask_for_all()
        house.engine.shelf.refresh()

    @router.post("/refresh-vae")
    def refresh_vae() -> None:
        """Look into the VAE folders again."""
        READINGS.ask_for_all()
        house.engine.vae_shelf.refresh()

    @router.get("/prompt-styles")
    def prompt_styles() -> list[PromptStyleItem]:
        """The saved styles."""
        return [
            PromptStyleItem(name=style.name, prompt=style.prompt, negative_prompt=style.negative_prompt)
            for style in house.styles.list()
        ]
