"""The table of samplers, and the reading of their names."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

from modules.errors import InvalidRequest
from modules.sampling import solvers
from modules.sampling.sampler_settings import SamplerSettings
from modules.sampling.schedules import AUTOMATIC, SCHEDULES, Schedule
from modules.sampling.solvers import SigmaSolver, SolverParams, TimeSolver

__all__ = ["SAMPLERS", "Eta", "Kind", "Sampler", "resolve_sampler", "solver_params"]

JOINED_ALIASES = {"_ka": "karras", "_exp": "exponential"}
CFG_PP_UNIT = 12.5


class Kind(StrEnum):
    """What a solver walks along: noise levels, whole times, or freely between a first and a last level."""

    SIGMAS = "sigmas"
    SPAN = "span"
    TIMES = "times"


class Eta(StrEnum):
    """Which setting of eta a sampler looks at."""

    NONE = "none"
    ANCESTRAL = "ancestral"
    DDIM = "ddim"


class Ensd(Enum):
    """Whether ENSD is written into the generation text; DPM2 does so in its Karras form only, sic."""

    NEVER = 0
    ALWAYS = 1
    WITH_KARRAS = 2


@dataclass(frozen=True)
class Sampler:
    """A row of the samplers' table: how a solver is named and what it needs.

    `second_order`: two evaluations a step, so prompts are scheduled over twice the steps. `brownian`: its
    noise comes from a Brownian path. `discards_penultimate`: one step more is scheduled and the last level
    but one left out. `mixes_pictures`: what it does with one picture depends on the others computed with it.
    `guidance_unit` divides the CFG scale.
    """

    name: str
    solver: SigmaSolver | TimeSolver
    aliases: tuple[str, ...]
    favourite: str = "uniform"
    kind: Kind = Kind.SIGMAS
    eta: Eta = Eta.NONE
    second_order: bool = False
    brownian: bool = False
    discards_penultimate: bool = False
    uses_churn: bool = False
    uses_s_noise: bool = False
    ensd: Ensd = Ensd.NEVER
    consistency: bool = False
    mixes_pictures: bool = False
    guidance_unit: float = 1.0

    @property
    def uses_sigmas(self) -> bool:
        """Whether a schedule of noise levels makes a difference; DDIM, PLMS and UniPC have times of their
        own.
        """
        return self.kind is not Kind.TIMES

    def evaluations(self, steps: int) -> int:
        """How many evaluations prompts are scheduled over for `steps`."""
        return 2 * steps if self.second_order else steps

    def eta_of(self, settings: SamplerSettings) -> float:
        """The eta this sampler would be run with."""
        return settings.eta_ddim if self.eta is Eta.DDIM else settings.eta_ancestral

    def describe_options(self) -> dict[str, str]:
        """The row as the API's `options` names it."""
        flags = {
            "discard_next_to_last_sigma": self.discards_penultimate,
            "uses_ensd": self.ensd is Ensd.ALWAYS,
            "second_order": self.second_order,
            "brownian_noise": self.brownian,
        }
        schedule = {} if self.favourite == "uniform" else {"scheduler": self.favourite}
        return schedule | {key: "True" for key, value in flags.items() if value}


SAMPLERS: dict[str, Sampler] = {
    sampler.name: sampler
    for sampler in (
        Sampler("DPM++ 2M", solvers.dpmpp_2m, ("k_dpmpp_2m",), "karras"),
        Sampler(
            "DPM++ SDE",
            solvers.dpmpp_sde,
            ("k_dpmpp_sde",),
            "karras",
            eta=Eta.ANCESTRAL,
            second_order=True,
            brownian=True,
            uses_s_noise=True,
        ),
        Sampler(
            "DPM++ 2M SDE",
            solvers.dpmpp_2m_sde,
            ("k_dpmpp_2m_sde",),
            "exponential",
            eta=Eta.ANCESTRAL,
            brownian=True,
            uses_s_noise=True,
        ),
        Sampler(
            "DPM++ 2M SDE Heun",
            solvers.dpmpp_2m_sde_heun,
            ("k_dpmpp_2m_sde_heun",),
            "exponential",
            eta=Eta.ANCESTRAL,
            brownian=True,
            uses_s_noise=True,
        ),
        Sampler(
            "DPM++ 2S a",
            solvers.dpmpp_2s_ancestral,
            ("k_dpmpp_2s_a",),
            "karras",
            eta=Eta.ANCESTRAL,
            second_order=True,
            uses_s_noise=True,
            ensd=Ensd.ALWAYS,
        ),
        Sampler(
            "DPM++ 3M SDE",
            solvers.dpmpp_3m_sde,
            ("k_dpmpp_3m_sde",),
            "exponential",
            eta=Eta.ANCESTRAL,
            brownian=True,
            discards_penultimate=True,
            uses_s_noise=True,
        ),
        Sampler(
            "Euler a",
            solvers.euler_ancestral,
            ("k_euler_a", "k_euler_ancestral"),
            eta=Eta.ANCESTRAL,
            ensd=Ensd.ALWAYS,
        ),
        Sampler("Euler", solvers.euler, ("k_euler",), uses_churn=True, uses_s_noise=True),
        Sampler("LMS", solvers.lms, ("k_lms",)),
        Sampler("Heun", solvers.heun, ("k_heun",), second_order=True, uses_churn=True, uses_s_noise=True),
        Sampler(
            "DPM2",
            solvers.dpm2,
            ("k_dpm_2",),
            "karras",
            second_order=True,
            discards_penultimate=True,
            uses_churn=True,
            uses_s_noise=True,
            ensd=Ensd.WITH_KARRAS,
        ),
        Sampler(
            "DPM2 a",
            solvers.dpm2_ancestral,
            ("k_dpm_2_a",),
            "karras",
            eta=Eta.ANCESTRAL,
            second_order=True,
            discards_penultimate=True,
            uses_s_noise=True,
            ensd=Ensd.ALWAYS,
        ),
        Sampler(
            "DPM fast",
            solvers.dpm_fast,
            ("k_dpm_fast",),
            kind=Kind.SPAN,
            eta=Eta.ANCESTRAL,
            uses_s_noise=True,
            ensd=Ensd.ALWAYS,
        ),
        Sampler(
            "DPM adaptive",
            solvers.dpm_adaptive,
            ("k_dpm_ad",),
            kind=Kind.SPAN,
            eta=Eta.ANCESTRAL,
            ensd=Ensd.ALWAYS,
            mixes_pictures=True,
        ),
        Sampler("Restart", solvers.restart, ("restart",), "karras", second_order=True),
        Sampler("DDIM", solvers.ddim, ("ddim",), kind=Kind.TIMES, eta=Eta.DDIM),
        Sampler(
            "DDIM CFG++",
            solvers.ddim_cfg_pp,
            ("ddim_cfgpp",),
            kind=Kind.TIMES,
            eta=Eta.DDIM,
            guidance_unit=CFG_PP_UNIT,
        ),
        Sampler("PLMS", solvers.plms, ("plms",), kind=Kind.TIMES),
        Sampler("UniPC", solvers.unipc, ("unipc",), kind=Kind.TIMES),
        Sampler("LCM", solvers.lcm, ("k_lcm",), consistency=True),
    )
}
"""In the order of the menu."""


def _sampler_names() -> dict[str, str]:
    return {name.casefold(): row.name for row in SAMPLERS.values() for name in (row.name, *row.aliases)}


def _schedule_names() -> dict[str, Schedule]:
    rows = SCHEDULES.values()
    return {name.casefold(): row for row in rows for name in (row.name, row.key, *row.aliases)}


def _plain(name: str) -> str:
    """A name as it is compared: libraries and other programs write "dpmpp_2m" for "DPM++ 2M"."""
    plain = " ".join(name.casefold().replace("_", " ").replace("-", " ").split()).removeprefix("k ")
    plain = plain.removeprefix("sample ").replace("dpmpp", "dpm++").replace("dpm 2", "dpm2")
    plain = plain.replace("uni pc", "unipc").replace("cfgpp", "cfg++").replace("cfg pp", "cfg++")
    return re.sub(r"\bancestral\b", "a", plain)


def _unknown(
    field: str, what: str, asked: str, known: Sequence[str], joined: Iterable[str] = ()
) -> InvalidRequest:
    """The refusal of a name. `joined` names may be suggested too, but are not listed."""
    spelled = {_plain(name): name for name in (*joined, *known)}
    nearest = difflib.get_close_matches(_plain(asked), spelled, n=1)
    shown = asked if len(asked) <= 60 else asked[:57] + "..."
    hint = f" Did you mean {spelled[nearest[0]]!r}?" if nearest else ""
    return InvalidRequest(field, f"There is no {what} named {shown!r}.{hint} There are: {', '.join(known)}.")


def _split_joined(name: str) -> tuple[str, Schedule] | None:
    """Sampler and schedule of an old joined name ("dpm++ 2m karras", "k_dpmpp_2m_ka"), in lower case."""
    samplers = _sampler_names()
    endings = {f" {label}": schedule for label, schedule in _schedule_names().items()}
    endings |= {suffix: SCHEDULES[key] for suffix, key in JOINED_ALIASES.items()}
    for ending, schedule in endings.items():
        if name.endswith(ending) and name.removesuffix(ending) in samplers:
            return samplers[name.removesuffix(ending)], schedule
    return None


def resolve_sampler(name: str, scheduler: str | None = None) -> tuple[Sampler, Schedule]:
    """The rows for the two names, whatever their case; a schedule that is None or empty is AUTOMATIC.

    Old joined names ("DPM++ 2M Karras", "k_dpmpp_2m_ka") are understood, and their schedule is the one that
    counts. Raises InvalidRequest for an unknown name, naming the nearest.
    """
    asked = (name or "").strip().casefold()
    schedules = _schedule_names()
    chosen = schedules.get((scheduler or "").strip().casefold() or AUTOMATIC.key)
    if chosen is None:
        raise _unknown("scheduler", "schedule", str(scheduler), [row.name for row in SCHEDULES.values()])
    plain = _sampler_names().get(asked)
    if plain:
        return SAMPLERS[plain], chosen
    joined = _split_joined(asked)
    if joined is None:
        old_names = (f"{row} {schedule.name}" for row in SAMPLERS for schedule in SCHEDULES.values())
        raise _unknown("sampler_name", "sampler", name, list(SAMPLERS), old_names)
    return SAMPLERS[joined[0]], joined[1]


def solver_params(
    sampler: Sampler, settings: SamplerSettings, evaluations: int, from_latent: bool
) -> SolverParams:
    """What `sampler` sees of the settings: what it does not use stays at its default."""
    eta = 0.0 if sampler.eta is Eta.NONE else sampler.eta_of(settings)
    s_noise = settings.s_noise if sampler.uses_s_noise else 1.0
    if not sampler.uses_churn:
        return SolverParams(
            eta=eta, s_noise=s_noise, evaluations=evaluations, from_latent=from_latent, unipc=settings.unipc
        )
    return SolverParams(eta, settings.s_churn, settings.s_tmin, settings.s_tmax, s_noise)
