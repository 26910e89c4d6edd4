"""Whole passes: every sampler from noise and from a latent, batches, strengths, masks, stopping."""

import math
from dataclasses import replace

import pytest
import torch

from modules.sampling import (
    SAMPLERS,
    Handover,
    LatentMask,
    Prompts,
    Start,
    resample,
    sample,
    steps_of_strength,
)
from tests.sampling.worlds import SD1_TABLE, V_TABLE, noise_of, one_prompt, plan_for, wavy_network

ALL = list(SAMPLERS)
BATCH_STEERED = "DPM adaptive"
LATENT = torch.randn(1, 4, 6, 5, generator=torch.Generator().manual_seed(5))


def draw(name: str, *seeds: int, steps: int = 7, **settings) -> torch.Tensor:
    return sample(wavy_network, plan_for(name, steps, **settings), noise_of(*seeds), one_prompt(len(seeds)))


def redraw(name: str, strength: float, *, exact: bool = False, steps: int = 8, **start) -> torch.Tensor:
    plan = plan_for(name, steps)
    return resample(wavy_network, plan, noise_of(3), one_prompt(), Start(LATENT, strength, exact, **start))


@pytest.mark.parametrize("name", [name for name in ALL if name != BATCH_STEERED])
def test_a_picture_of_a_batch_is_the_picture_made_alone(name):
    seeds = (11, 12, 2**34)
    batch = draw(name, *seeds)
    alone = torch.cat([draw(name, seed) for seed in seeds])
    torch.testing.assert_close(batch, alone, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("steps", [1, 2, 3, 37])
def test_every_sampler_takes_any_number_of_steps(name, steps):
    assert torch.isfinite(draw(name, 1, steps=steps)).all()


@pytest.mark.parametrize("name", ALL)
def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(name):
    assert torch.equal(draw(name, 5), draw(name, 5))
    assert not torch.allclose(draw(name, 5), draw(name, 6))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("strength", [0.0, 0.55, 1.0])
def test_every_sampler_starts_from_a_latent(name, strength):
    assert torch.isfinite(redraw(name, strength)).all()
    assert torch.isfinite(redraw(name, strength, exact=True)).all()


@pytest.mark.parametrize("name", ["Euler", "DPM++ 2M SDE", "DDIM", "UniPC", "DPM fast"])
def test_a_v_prediction_that_says_the_same_gives_the_same_picture(name):
    plan = plan_for(name, 6)

    def v_network(x, time, told, vector):
        a = torch.tensor([SD1_TABLE.alphas_cumprod[int(t)] for t in time]).view(-1, 1, 1, 1)
        noise = wavy_network(x, time, told, vector)
        return (noise - (1 - a).sqrt() * x) / a.sqrt()

    whole = sample(wavy_network, plan, noise_of(1), one_prompt())
    other = sample(v_network, replace(plan, table=V_TABLE), noise_of(1), one_prompt())
    # between whole times the toy v network rounds its alpha down
    torch.testing.assert_close(other, whole, atol=0.12, rtol=0.05)


@pytest.mark.parametrize(
    ("steps", "strength", "exact", "expected"),
    [
        (20, 0.75, False, (20, 15)),
        (20, 1.0, False, (20, 19)),
        (20, 0.0, False, (20, 0)),
        (8, 0.6, True, (13, 7)),
        (8, 1.0, True, (8, 7)),
        (8, 0.0, True, (0, 7)),
    ],
)
def test_a_strength_decides_the_steps(steps, strength, exact, expected):
    assert steps_of_strength(steps, strength, exact) == expected


@pytest.mark.parametrize("name", ["Euler a", "DDIM", "DPM++ 2M SDE"])
def test_an_exact_pass_of_strength_0_leaves_the_latent_alone(name):
    assert torch.equal(redraw(name, 0.0, exact=True), LATENT)


def test_a_pass_of_strength_0_runs_one_step_from_the_smallest_level():
    seen = []

    def network(x, time, told, vector):
        seen.append(float(time[0]))
        return wavy_network(x, time, told, vector)

    resample(network, plan_for("Euler", 8), noise_of(3), one_prompt(), Start(LATENT, 0.0))
    assert len(seen) == 1 and seen[0] == pytest.approx(0, abs=0.01)


def test_a_pass_from_a_latent_starts_with_the_latent_noised_to_the_first_level():
    seen = []

    def network(x, time, told, vector):
        seen.append(x.clone())
        return torch.zeros_like(x)

    start = Start(LATENT, 0.5, noise_multiplier=0.9, extra_noise=0.1)
    plan = plan_for("Euler", 8)
    resample(network, plan, noise_of(3), one_prompt(), start)
    sigma = plan.sigmas()[8 - 4 - 1]
    noised = LATENT + noise_of(3).first() * 0.9 * (sigma + 0.1)
    torch.testing.assert_close(seen[0][:1], noised / math.sqrt(1 + sigma**2))


def test_ddim_starts_from_the_latent_at_the_time_of_the_strength():
    seen = []

    def network(x, time, told, vector):
        seen.append((x.clone(), float(time[0])))
        return torch.zeros_like(x)

    plan = plan_for("DDIM", 8)
    resample(network, plan, noise_of(3), one_prompt(), Start(LATENT, 0.5))
    times = plan.times()
    a = SD1_TABLE.alphas_cumprod[times[4]]
    torch.testing.assert_close(seen[0][0][:1], LATENT * math.sqrt(a) + noise_of(3).first() * math.sqrt(1 - a))
    assert seen[0][1] == times[3]


@pytest.mark.parametrize("name", ["Euler a", "DDIM", "UniPC", "DPM++ 2M SDE"])
def test_where_the_mask_keeps_the_latent_is_kept(name):
    keep = torch.zeros(1, 1, 6, 5)
    keep[..., :3, :] = 1
    made = redraw(name, 0.8, mask=LatentMask(keep, LATENT))
    assert torch.equal(made[..., :3, :], LATENT[..., :3, :])
    assert not torch.allclose(made[..., 3:, :], LATENT[..., 3:, :], atol=0.05)


def test_the_start_is_scaled_by_the_first_level_or_its_root_form():
    seen = []

    def network(x, time, told, vector):
        seen.append(x.clone())
        return torch.zeros_like(x)

    for multiplier in (False, True):
        sample(network, plan_for("Euler", 4, sgm_noise_multiplier=multiplier), noise_of(3), one_prompt())
    sigma = plan_for("Euler", 4).sigmas()[0]
    first = noise_of(3).first()
    torch.testing.assert_close(seen[0][:1], first * sigma / math.sqrt(1 + sigma**2))
    torch.testing.assert_close(seen[4][:1], first)


@pytest.mark.parametrize(
    ("name", "evaluations"), [("Euler", 8), ("Heun", 15), ("DPM fast", 8), ("UniPC", 8), ("PLMS", 8)]
)
def test_evaluations_are_as_many_as_the_method_says(name, evaluations):
    calls = []

    def network(x, time, told, vector):
        calls.append(len(x))
        return wavy_network(x, time, told, vector)

    sample(network, plan_for(name, 8), noise_of(1), one_prompt())
    assert calls == [2] * evaluations


def test_guidance_of_1_evaluates_half_as_much():
    rows = []

    def network(x, time, told, vector):
        rows.append(len(x))
        return wavy_network(x, time, told, vector)

    sample(network, plan_for("Euler", 5, cfg_scale=1.0), noise_of(1), one_prompt())
    assert rows == [1] * 5


def test_cfg_pp_counts_its_scale_in_units_of_12_5_and_renoises_unconditionally():
    plain = sample(wavy_network, plan_for("DDIM", 6, cfg_scale=1.0), noise_of(1), one_prompt(1, 1.0, 1.0))
    same = sample(
        wavy_network, plan_for("DDIM CFG++", 6, cfg_scale=12.5), noise_of(1), one_prompt(1, 1.0, 1.0)
    )
    torch.testing.assert_close(plain, same)
    other = sample(wavy_network, plan_for("DDIM CFG++", 6, cfg_scale=12.5), noise_of(1), one_prompt())
    assert not torch.allclose(plain, other)


def test_steps_are_told_and_what_the_listener_raises_ends_the_pass():
    class Enough(Exception):
        pass

    heard = []

    def on_step(index, step):
        heard.append((index, step.sigma))
        assert step.x.shape == step.denoised.shape == (1, 4, 6, 5)
        if index == 3:
            raise Enough

    with pytest.raises(Enough):
        sample(wavy_network, plan_for("Euler a", 9), noise_of(1), one_prompt(), on_step)
    assert [index for index, _ in heard] == [0, 1, 2, 3]
    assert [sigma for _, sigma in heard] == plan_for("Euler a", 9).sigmas()[:4]


def test_padding_with_the_empty_prompt_waits_for_its_setting():
    prompts = one_prompt()
    padded = Prompts(prompts.positive, prompts.negative, empty=torch.zeros(77, 4))
    plan = plan_for("Euler", 4)
    assert torch.equal(
        sample(wavy_network, plan, noise_of(1), padded), sample(wavy_network, plan, noise_of(1), prompts)
    )


@pytest.mark.parametrize(("name", "steps"), [("Euler", 30), ("DDIM", 30), ("DDIM", 13)])
def test_a_handover_by_steps_counts_the_steps_asked_for_even_where_the_sampler_makes_more(name, steps):
    """DDIM makes a step for each whole stride of the 1000 times: 31 entries for 30 steps, 14 for 13."""
    asked: list[str] = []

    def told(who):
        return lambda *given: asked.append(who) or wavy_network(*given)

    handover = Handover(told("second"), SD1_TABLE, one_prompt(), share=0.5, by_steps=True)
    sample(told("first"), plan_for(name, steps), noise_of(1), one_prompt(), handover=handover)
    assert asked.index("second") == math.ceil(steps / 2)
