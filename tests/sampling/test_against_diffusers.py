"""Solvers against diffusers' schedulers, step by step: an implementation by other people."""

import math

import diffusers
import pytest
import torch

from modules.sampling import solvers
from modules.sampling.solvers import SolverParams
from tests.sampling.worlds import SD1_TABLE, Fixed, plan_for

BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
STEPS = 10
START = torch.randn(1, 4, 6, 5, generator=torch.Generator().manual_seed(5))


def predict(scaled: torch.Tensor) -> torch.Tensor:
    """Noise predicted from the network's input alone, so that how a library rounds its times does not matter."""
    return torch.tanh(0.8 * scaled) + 0.1 * scaled.flip(-1)


def denoise(x: torch.Tensor, sigma: float) -> torch.Tensor:
    return x - sigma * predict(x / math.sqrt(1 + sigma**2))


def states_of(scheduler, x: torch.Tensor) -> list[torch.Tensor]:
    """What diffusers makes of x after each call of its scheduler."""
    states = []
    for time in scheduler.timesteps:
        x = scheduler.step(predict(scheduler.scale_model_input(x, time)), time, x).prev_sample
        states.append(x)
    return states


@pytest.mark.parametrize(
    ("scheduler", "solver", "name", "schedule", "every"),
    [
        (diffusers.EulerDiscreteScheduler, solvers.euler, "Euler", "Uniform", 1),
        (diffusers.HeunDiscreteScheduler, solvers.heun, "Heun", "Uniform", 2),
        (diffusers.LMSDiscreteScheduler, solvers.lms, "LMS", "Uniform", 1),
    ],
    ids=["Euler", "Heun", "LMS"],
)
def test_solvers_over_levels_take_the_same_steps(scheduler, solver, name, schedule, every):
    theirs = scheduler(**BETAS, timestep_spacing="linspace")
    theirs.set_timesteps(STEPS)
    sigmas = plan_for(name, STEPS, schedule).sigmas()
    x = START * sigmas[0]
    expected = states_of(theirs, x)[every - 1 :: every]
    ours = [step.x for step in solver(denoise, x, sigmas, Fixed(x), SolverParams())]
    # the last of Heun's states is an Euler step, one call instead of two
    for mine, other in zip(ours[: STEPS - 1], expected[: STEPS - 1], strict=True):
        torch.testing.assert_close(mine, other, atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("schedule", ["Karras", "Exponential"])
def test_dpmpp_2m_takes_the_same_steps(schedule):
    theirs = diffusers.DPMSolverMultistepScheduler(
        **BETAS,
        algorithm_type="dpmsolver++",
        solver_order=2,
        use_karras_sigmas=schedule == "Karras",
        use_exponential_sigmas=schedule == "Exponential",
        final_sigmas_type="zero",
    )
    theirs.set_timesteps(STEPS)
    sigmas = plan_for("DPM++ 2M", STEPS, schedule).sigmas()
    x = START * sigmas[0]
    expected = states_of(theirs, x / math.sqrt(1 + sigmas[0] ** 2))
    for i, step in enumerate(solvers.dpmpp_2m(denoise, x, sigmas, Fixed(x), SolverParams())):
        preserving = step.x / math.sqrt(1 + sigmas[i + 1] ** 2)
        torch.testing.assert_close(preserving, expected[i], atol=1e-3, rtol=1e-3)


class Predicted:
    """PredictNoise without a model."""

    alphas_cumprod = SD1_TABLE.alphas_cumprod

    def __call__(self, x: torch.Tensor, time: float) -> torch.Tensor:
        return predict(x)


@pytest.mark.parametrize(
    ("theirs", "solver"),
    [
        (
            diffusers.DDIMScheduler(**BETAS, steps_offset=1, set_alpha_to_one=False, clip_sample=False),
            solvers.ddim,
        ),
        (
            diffusers.PNDMScheduler(**BETAS, steps_offset=1, set_alpha_to_one=False, skip_prk_steps=True),
            solvers.plms,
        ),
    ],
    ids=["DDIM", "PLMS"],
)
def test_solvers_over_times_take_the_same_steps(theirs, solver):
    theirs.set_timesteps(STEPS)
    times = plan_for("DDIM", STEPS).times()
    expected = states_of(theirs, START)
    if solver is solvers.plms:
        expected = expected[1:]  # the first step is two calls there
    ours = [step.x for step in solver(Predicted(), START, times, Fixed(START), SolverParams(eta=0.0))]
    assert len(ours) == STEPS - 1
    for mine, other in zip(ours, expected, strict=False):
        torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-4)


def test_lcm_jumps_to_the_same_estimates():
    theirs = diffusers.LCMScheduler(**BETAS, original_inference_steps=50)
    theirs.set_timesteps(4)
    plan = plan_for("LCM", 4)
    for time in theirs.timesteps.tolist():
        sigma = SD1_TABLE.sigmas[time]
        scaling = plan.levels.scaling(sigma)
        expected = theirs.step(predict(START), time, START, generator=torch.Generator()).denoised
        x = START * math.sqrt(1 + sigma**2)
        mine = x * scaling.skip + predict(START) * scaling.out
        assert scaling.time == time
        torch.testing.assert_close(mine, expected, atol=1e-3, rtol=1e-3)
