"""What a sampler's run adds to the generation text (BEHAVIOUR section 12)."""

from modules.sampling.sampler_settings import ETA_ANCESTRAL, ETA_DDIM, SamplerSettings
from modules.sampling.samplers import Ensd, Eta, Sampler
from modules.sampling.schedules import AUTOMATIC, BETA_EXPONENT, SCHEDULES, Schedule
from modules.sampling.solvers import UniPCParams, unipc

__all__ = ["sampler_infotext", "writes_ensd"]

CHURN_FIELDS = {
    "s_churn": "Sigma churn",
    "s_tmin": "Sigma tmin",
    "s_tmax": "Sigma tmax",
    "s_noise": "Sigma noise",
}

Fields = dict[str, float | int | bool | str]


def writes_ensd(sampler: Sampler, settings: SamplerSettings, schedule: Schedule = AUTOMATIC) -> bool:
    """Whether ENSD stands in the generation text: for ancestral samplers and some more, unless eta is 0."""
    karras = (schedule.key if schedule is not AUTOMATIC else sampler.favourite) == "karras"
    named = sampler.ensd is Ensd.ALWAYS or (sampler.ensd is Ensd.WITH_KARRAS and karras)
    return named and sampler.eta_of(settings) != 0


def _eta_fields(sampler: Sampler, settings: SamplerSettings) -> Fields:
    field, default = ("Eta DDIM", ETA_DDIM) if sampler.eta is Eta.DDIM else ("Eta", ETA_ANCESTRAL)
    eta = sampler.eta_of(settings)
    return {field: eta} if sampler.eta is not Eta.NONE and eta != default else {}


def _churn_fields(sampler: Sampler, settings: SamplerSettings) -> Fields:
    used = {"s_noise"} if sampler.uses_s_noise else set()
    used |= set(CHURN_FIELDS) if sampler.uses_churn else set()
    won = settings.churn_from_settings
    return {field: won[key] for key, field in CHURN_FIELDS.items() if key in used and key in won}


def _schedule_fields(schedule: Schedule, settings: SamplerSettings) -> Fields:
    fields: Fields = {}
    if schedule.uses_ends and schedule is not AUTOMATIC:
        fields["Schedule min sigma"] = settings.sigma_min
        fields["Schedule max sigma"] = settings.sigma_max
    if schedule.default_rho > 0 and settings.rho != schedule.default_rho:
        fields["Schedule rho"] = settings.rho
    if schedule.key == "beta":
        for name, value in (("alpha", settings.beta_alpha), ("beta", settings.beta_beta)):
            fields[f"Beta schedule {name}"] = 0 if value == BETA_EXPONENT else value
    return {key: value for key, value in fields.items() if value}


def _unipc_fields(params: UniPCParams) -> Fields:
    given: Fields = {
        "UniPC variant": params.variant.value,
        "UniPC skip type": params.skip.value,
        "UniPC order": params.order,
        "UniPC lower order final": params.lower_order_final,
    }
    plain = UniPCParams()
    usual = (plain.variant.value, plain.skip.value, plain.order, plain.lower_order_final)
    return {
        key: value for (key, value), default in zip(given.items(), usual, strict=True) if value != default
    }


def sampler_infotext(
    sampler: Sampler, schedule: Schedule, settings: SamplerSettings, from_latent: bool = False
) -> Fields:
    """The fields behind the fixed ones, in their order: eta, churn, schedule, discarded level, noise
    multiplier.

    `from_latent`: for image to image, where the noise multiplier does nothing. Only what differs from the
    defaults is written.
    """
    fields = _eta_fields(sampler, settings) | _churn_fields(sampler, settings)
    if sampler.uses_sigmas:
        fields |= _schedule_fields(SCHEDULES[schedule.key], settings)
    if settings.always_discard_penultimate and not sampler.discards_penultimate:
        fields["Discard penultimate sigma"] = True
    if settings.sgm_noise_multiplier and sampler.uses_sigmas and not from_latent:
        fields["SGM noise multiplier"] = True
    if sampler.solver is unipc:
        fields |= _unipc_fields(settings.unipc)
    return fields
