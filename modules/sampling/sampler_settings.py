"""The settings that a sampler's run depends on, taken once from the options and the request."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modules.errors import InvalidRequest
from modules.sampling.schedules import BETA_EXPONENT, Shape
from modules.sampling.solvers import UniPCParams, UniPCSkip, UniPCVariant

if TYPE_CHECKING:
    from modules.settings import Options

__all__ = ["SamplerSettings"]

ETA_ANCESTRAL, ETA_DDIM = 1.0, 0.0
CHURN_DEFAULTS: dict[str, float] = {"s_churn": 0.0, "s_tmin": 0.0, "s_tmax": 0.0, "s_noise": 1.0}


@dataclass(frozen=True)
class SamplerSettings:
    """Everything definite: what the request left open is filled in from the settings.

    `s_tmax` is infinite where 0 was given. `churn_from_settings` holds the churn values that a setting
    decided, as it was given (they are written into the generation text). `sigma_min`, `sigma_max`, `rho`: 0
    means the schedule's own.
    """

    eta_ancestral: float = ETA_ANCESTRAL
    eta_ddim: float = ETA_DDIM
    s_churn: float = 0.0
    s_tmin: float = 0.0
    s_tmax: float = math.inf
    s_noise: float = 1.0
    churn_from_settings: Mapping[str, float] = field(default_factory=dict)
    s_min_uncond: float = 0.0
    sigma_min: float = 0.0
    sigma_max: float = 0.0
    rho: float = 0.0
    beta_alpha: float = BETA_EXPONENT
    beta_beta: float = BETA_EXPONENT
    old_karras_ends: bool = False
    always_discard_penultimate: bool = False
    sgm_noise_multiplier: bool = False
    pad_cond_uncond: bool = False
    pad_cond_uncond_v0: bool = False
    batch_cond_uncond: bool = True
    unipc: UniPCParams = field(default_factory=UniPCParams)

    def shape(self, explicit: bool) -> Shape:
        """How a schedule is bent; the ends and rho count only for a schedule that was chosen explicitly."""
        if not explicit:
            return Shape(None, None, None, self.old_karras_ends, self.beta_alpha, self.beta_beta)
        ends = self.sigma_min or None, self.sigma_max or None, self.rho or None
        return Shape(*ends, self.old_karras_ends, self.beta_alpha, self.beta_beta)

    @classmethod
    def from_options(
        cls,
        options: "Options",
        *,
        eta: float | None = None,
        s_churn: float | None = None,
        s_tmin: float | None = None,
        s_tmax: float | None = None,
        s_noise: float | None = None,
        s_min_uncond: float | None = None,
    ) -> "SamplerSettings":
        """The settings of a run: a request's value that is None is the setting's.

        A churn setting that is not at its default wins over the request (BEHAVIOUR section 6). Raises
        InvalidRequest for a negative eta.
        """
        asked = {"s_churn": s_churn, "s_tmin": s_tmin, "s_tmax": s_tmax, "s_noise": s_noise}
        won = {
            key: value
            for key, default in CHURN_DEFAULTS.items()
            if (value := float(getattr(options, key))) != default
        }
        churn = CHURN_DEFAULTS | {key: value for key, value in asked.items() if value is not None} | won
        if eta is not None and eta < 0:
            raise InvalidRequest(
                "eta", f"eta cannot be {eta}; it is the share of fresh noise, 0 or more (usually 0 to 1)."
            )
        return cls(
            eta_ancestral=options.eta_ancestral if eta is None else eta,
            eta_ddim=options.eta_ddim if eta is None else eta,
            s_churn=churn["s_churn"],
            s_tmin=churn["s_tmin"],
            s_tmax=churn["s_tmax"] or math.inf,
            s_noise=churn["s_noise"],
            churn_from_settings=won,
            s_min_uncond=options.s_min_uncond if s_min_uncond is None else s_min_uncond,
            sigma_min=options.sigma_min,
            sigma_max=options.sigma_max,
            rho=options.rho,
            beta_alpha=options.beta_dist_alpha,
            beta_beta=options.beta_dist_beta,
            old_karras_ends=options.use_old_karras_scheduler_sigmas,
            always_discard_penultimate=options.always_discard_next_to_last_sigma,
            sgm_noise_multiplier=options.sgm_noise_multiplier,
            pad_cond_uncond=options.pad_cond_uncond,
            pad_cond_uncond_v0=options.pad_cond_uncond_v0,
            batch_cond_uncond=options.batch_cond_uncond,
            unipc=UniPCParams(
                UniPCVariant(options.uni_pc_variant),
                UniPCSkip(options.uni_pc_skip_type),
                options.uni_pc_order,
                options.uni_pc_lower_order_final,
            ),
        )
