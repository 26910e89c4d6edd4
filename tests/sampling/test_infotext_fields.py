"""What a sampler writes into the generation text, and which of setting and request counts."""

import math

import pytest

from modules.errors import InvalidRequest
from modules.sampling import SamplerSettings, resolve_sampler, sampler_infotext, writes_ensd
from modules.sampling.solvers import UniPCParams, UniPCVariant
from modules.settings import Options


def text(name: str, scheduler: str | None = None, from_latent: bool = False, **settings) -> dict:
    sampler, schedule = resolve_sampler(name, scheduler)
    return sampler_infotext(sampler, schedule, SamplerSettings(**settings), from_latent)


def test_defaults_write_nothing():
    assert text("Euler a") == text("DDIM") == text("UniPC") == text("DPM2", "Karras") == {}


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("Euler a", {"eta_ancestral": 0.5}, {"Eta": 0.5}),
        ("DPM++ SDE", {"eta_ancestral": 0.0}, {"Eta": 0.0}),
        ("Euler", {"eta_ancestral": 0.5}, {}),
        ("DDIM", {"eta_ddim": 0.7, "eta_ancestral": 0.2}, {"Eta DDIM": 0.7}),
        ("PLMS", {"eta_ddim": 0.7}, {}),
        ("Euler", {"always_discard_penultimate": True}, {"Discard penultimate sigma": True}),
        ("DPM2", {"always_discard_penultimate": True}, {}),
        ("Euler", {"sgm_noise_multiplier": True}, {"SGM noise multiplier": True}),
        ("DDIM", {"sgm_noise_multiplier": True}, {}),
        ("Euler", {"s_churn": 5.0}, {}),
        ("UniPC", {"unipc": UniPCParams(UniPCVariant.BH2)}, {"UniPC variant": "bh2"}),
        ("Euler", {"unipc": UniPCParams(UniPCVariant.BH2)}, {}),
    ],
)
def test_what_differs_and_counts_is_written(name, settings, expected):
    assert text(name, **settings) == expected


def test_the_noise_multiplier_is_not_written_for_a_pass_from_a_latent():
    assert text("Euler", from_latent=True, sgm_noise_multiplier=True) == {}


@pytest.mark.parametrize(
    ("scheduler", "expected"),
    [
        ("Karras", {"Schedule min sigma": 0.1, "Schedule max sigma": 10.0, "Schedule rho": 5.0}),
        ("Exponential", {"Schedule min sigma": 0.1, "Schedule max sigma": 10.0}),
        ("Uniform", {}),
        (None, {}),
    ],
)
def test_a_bent_schedule_is_written_where_it_was_bent(scheduler, expected):
    assert text("DPM++ 2M", scheduler, sigma_min=0.1, sigma_max=10.0, rho=5.0) == expected


def test_the_shape_of_beta_is_written():
    assert text("Euler", "Beta", beta_alpha=0.5) == {"Beta schedule alpha": 0.5}


def test_fields_keep_their_order():
    fields = text(
        "DPM2",
        "Karras",
        churn_from_settings={"s_noise": 1.1, "s_churn": 3.0},
        sigma_max=9.0,
        sgm_noise_multiplier=True,
    )
    assert list(fields) == ["Sigma churn", "Sigma noise", "Schedule max sigma", "SGM noise multiplier"]


@pytest.mark.parametrize(
    ("name", "scheduler", "eta", "expected"),
    [
        ("Euler a", None, 1.0, True),
        ("Euler a", None, 0.0, False),
        ("DPM++ 2S a", "Uniform", 1.0, True),
        ("DPM2", "Karras", 1.0, True),
        ("DPM2", "Uniform", 1.0, False),
        ("DPM fast", None, 1.0, True),
        ("DPM adaptive", None, 1.0, True),
        ("Euler", None, 1.0, False),
        ("DPM++ SDE", "Karras", 1.0, False),
        ("DDIM", None, 1.0, False),
    ],
)
def test_ensd_is_written_with_some_samplers_only(name, scheduler, eta, expected):
    sampler, schedule = resolve_sampler(name, scheduler)
    assert writes_ensd(sampler, SamplerSettings(eta_ancestral=eta), schedule) is expected


def test_a_request_fills_what_the_settings_leave_at_their_defaults():
    made = SamplerSettings.from_options(Options(), eta=0.3, s_churn=4.0, s_tmin=0.2, s_tmax=0.0, s_noise=1.02)
    assert (made.s_churn, made.s_tmin, made.s_tmax, made.s_noise) == (4.0, 0.2, math.inf, 1.02)
    assert (made.eta_ancestral, made.eta_ddim) == (0.3, 0.3)
    assert made.churn_from_settings == {}


def test_a_churn_setting_that_is_not_at_its_default_wins_and_is_written():
    options = Options().overridden({"s_churn": 3.0, "s_tmax": 8.0})
    made = SamplerSettings.from_options(options, s_churn=4.0, s_tmax=2.0, s_noise=1.02)
    assert (made.s_churn, made.s_tmax, made.s_noise) == (3.0, 8.0, 1.02)
    sampler, schedule = resolve_sampler("Heun")
    assert sampler_infotext(sampler, schedule, made) == {"Sigma churn": 3.0, "Sigma tmax": 8.0}


def test_eta_comes_from_the_settings_of_its_kind():
    made = SamplerSettings.from_options(Options().overridden({"eta_ancestral": 0.8, "eta_ddim": 0.1}))
    assert (made.eta_ancestral, made.eta_ddim) == (0.8, 0.1)


def test_a_negative_eta_is_refused():
    with pytest.raises(InvalidRequest, match=r"eta cannot be -0\.5"):
        SamplerSettings.from_options(Options(), eta=-0.5)
