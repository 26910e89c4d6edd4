"""While and after a picture is made: its text, its previews, the parameters of the samplers."""

from typing import ClassVar, Literal

from modules.settings.declare import ChoiceSource, Section, option

__all__ = ["Infotext", "LivePreviews", "SamplerParameters"]


class Infotext(Section):
    """The generation text of a picture."""

    section_id: ClassVar[str] = "infotext"
    section_title: ClassVar[str] = "Infotext"

    enable_pnginfo: bool = option(True, "Write infotext to metadata of the generated image")
    save_txt: bool = option(False, "Create a text file with infotext next to every generated image")
    add_model_name_to_info: bool = option(True, "Add model name to infotext")
    add_model_hash_to_info: bool = option(True, "Add model hash to infotext")
    add_vae_name_to_info: bool = option(True, "Add VAE name to infotext")
    add_vae_hash_to_info: bool = option(True, "Add VAE hash to infotext")
    add_version_to_infotext: bool = option(True, "Add program version to infotext")
    disable_weights_auto_swap: bool = option(
        True, "Disregard checkpoint information from pasted infotext", help="The loaded checkpoint stays."
    )
    infotext_skip_pasting: tuple[str, ...] = option(
        (), "Disregard fields from pasted infotext", source=ChoiceSource.INFOTEXT_FIELDS
    )
    infotext_styles: Literal["Ignore", "Apply", "Discard", "Apply if any"] = option(
        "Apply if any",
        "Infer styles from prompts of pasted infotext",
        help="Ignore: leave the prompt as it is; Apply: take a style's text out and choose the style; "
        "Discard: take it out and choose nothing; Apply if any: as Apply, and leave the chosen styles when "
        "none is found.",
    )


class LivePreviews(Section):
    """What is shown while a picture is drawn."""

    section_id: ClassVar[str] = "live_previews"
    section_title: ClassVar[str] = "Live previews"

    show_progressbar: bool = option(True, "Show progressbar")
    live_previews_enable: bool = option(True, "Show live previews of the created image")
    live_previews_image_format: Literal["jpeg", "png", "webp"] = option("png", "Live preview file format")
    show_progress_grid: bool = option(True, "Show previews of all images generated in a batch as a grid")
    show_progress_every_n_steps: int = option(
        10, "Live preview display period", help="In sampling steps; -1: only after a picture.", ge=-1, le=32
    )
    show_progress_type: Literal["Full", "Approx NN", "Approx cheap", "TAESD"] = option(
        "Approx cheap",
        "Live preview method",
        help="Full: the VAE itself, slow. Approx cheap: a linear map fitted to the VAE. Approx NN and TAESD "
        "need models of their own and show the same as Approx cheap.",
    )
    live_preview_refresh_period: float = option(
        1000, "Progressbar and preview update period", help="In milliseconds.", ge=50, le=60_000
    )


class SamplerParameters(Section):
    """Numbers of the samplers; a request's own fields come before them."""

    section_id: ClassVar[str] = "sampler-params"
    section_title: ClassVar[str] = "Sampler parameters"
    affects_pixels: ClassVar[bool] = True

    hide_samplers: tuple[str, ...] = option(
        (),
        "Hide samplers in user interface",
        source=ChoiceSource.SAMPLERS,
        needs_reload=True,
        affects_pixels=False,
    )
    eta_ddim: float = option(0.0, "Eta for DDIM", help="Noise multiplier.", ge=0, le=1, step=0.01)
    eta_ancestral: float = option(
        1.0,
        "Eta for k-diffusion samplers",
        help="Noise multiplier of ancestral and SDE samplers.",
        ge=0,
        le=1,
        step=0.01,
    )
    ddim_discretize: Literal["uniform", "quad"] = option("uniform", "img2img DDIM discretize")
    s_churn: float = option(
        0.0, "sigma churn", help="Stochasticity of Euler, Heun and DPM2.", ge=0, le=100, step=0.01
    )
    s_tmin: float = option(0.0, "sigma tmin", help="Lowest sigma with churn.", ge=0, le=10, step=0.01)
    s_tmax: float = option(
        0.0, "sigma tmax", help="Highest sigma with churn; 0: no bound.", ge=0, le=999, step=0.01
    )
    s_noise: float = option(
        1.0, "sigma noise", help="Amount of noise that churn adds.", ge=0, le=1.1, step=0.001
    )
    k_sched_type: Literal["Automatic", "karras", "exponential", "polyexponential"] = option(
        "Automatic",
        "Scheduler type",
        help="Of requests that name no schedule, as clients of versions up to 1.8.0 choose it.",
    )
    sigma_min: float = option(0.0, "sigma min", help="Lowest sigma of a schedule; 0: the model's.", ge=0)
    sigma_max: float = option(0.0, "sigma max", help="Highest sigma of a schedule; 0: the model's.", ge=0)
    rho: float = option(0.0, "rho", help="Steepness of the Karras schedule; 0: its default of 7.", ge=0)
    eta_noise_seed_delta: int = option(
        0, "Eta noise seed delta", help="ENSD: added to the seed for the noise of the steps; 31337 for NAI."
    )
    always_discard_next_to_last_sigma: bool = option(False, "Always discard next-to-last sigma")
    sgm_noise_multiplier: bool = option(
        False, "SGM noise multiplier", help="First noise as the SDXL reference makes it."
    )
    uni_pc_variant: Literal["bh1", "bh2"] = option("bh1", "UniPC variant")
    uni_pc_skip_type: Literal["time_uniform", "time_quadratic", "logSNR"] = option(
        "time_uniform", "UniPC skip type"
    )
    uni_pc_order: int = option(3, "UniPC order", help="Below the number of steps.", ge=1, le=50)
    uni_pc_lower_order_final: bool = option(True, "UniPC lower order final")
    beta_dist_alpha: float = option(0.6, "Beta scheduler - alpha", ge=0.01, le=1, step=0.01)
    beta_dist_beta: float = option(0.6, "Beta scheduler - beta", ge=0.01, le=1, step=0.01)
