"""Every solver in a world whose ODE and SDE have closed solutions."""

import math

import pytest
import torch

from modules.sampling import SAMPLERS, solvers
from modules.sampling.samplers import Kind
from modules.sampling.solvers import SolverParams, UniPCParams, UniPCSkip, UniPCVariant
from modules.sampling.solvers.restart import restart_levels
from tests.sampling.worlds import Fixed, Gaussian, GaussianNoise, Paths, last

WORLD = Gaussian()
START, END = 10.0, 0.05
QUIET = SolverParams(eta=0.0)


def levels(steps: int, end: float = END) -> list[float]:
    """Karras' levels in full precision, so that the order of a solver can be seen."""
    ramp = [i / steps for i in range(steps + 1)]
    return [(START ** (1 / 3) + part * (end ** (1 / 3) - START ** (1 / 3))) ** 3 for part in ramp]


def starts(count: int = 64) -> torch.Tensor:
    return torch.linspace(-2, 2, count, dtype=torch.float64).view(1, 1, 1, count) * START


def error(solver, steps: int, params: SolverParams = QUIET) -> float:
    x = starts()
    made = last(solver(WORLD.denoise, x, levels(steps), Fixed(x), params))
    return float((made - WORLD.solved(x, START, END)).abs().max())


@pytest.mark.parametrize(
    ("solver", "order"),
    [
        (solvers.euler, 1),
        (solvers.euler_ancestral, 1),
        (solvers.heun, 2),
        (solvers.dpm2, 2),
        (solvers.dpm2_ancestral, 2),
        (solvers.dpmpp_2s_ancestral, 2),
        (solvers.dpmpp_sde, 2),
        (solvers.dpmpp_2m, 2),
        (solvers.dpmpp_2m_sde, 2),
        (solvers.dpmpp_2m_sde_heun, 2),
        (solvers.dpmpp_3m_sde, 2),
        (solvers.lms, 4),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_without_noise_a_solver_converges_with_its_order(solver, order):
    coarse, fine = error(solver, 60), error(solver, 120)
    assert math.log2(coarse / fine) > order - 0.45


@pytest.mark.parametrize("evaluations", [31, 32, 33])
def test_dpm_fast_spends_its_evaluations_and_converges(evaluations):
    def run(count: int) -> tuple[float, int]:
        asked = []

        def denoise(x, sigma):
            asked.append(sigma)
            return WORLD.denoise(x, sigma)

        x, params = starts(), SolverParams(eta=0.0, evaluations=count)
        made = last(solvers.dpm_fast(denoise, x, [START, END], Fixed(x), params))
        return float((made - WORLD.solved(x, START, END)).abs().max()), len(asked)

    coarse, spent = run(evaluations)
    assert spent == evaluations
    assert run(4 * evaluations)[0] < coarse / 10


@pytest.mark.parametrize("count", range(1, 10))
def test_dpm_fast_spends_few_evaluations_too(count):
    asked = []

    def denoise(x, sigma):
        asked.append(sigma)
        return WORLD.denoise(x, sigma)

    x = starts()
    last(solvers.dpm_fast(denoise, x, [START, END], Fixed(x), SolverParams(eta=1.0, evaluations=count)))
    assert len(asked) == count


def test_dpm_adaptive_reaches_the_end_within_its_tolerance():
    x = starts()
    made = last(solvers.dpm_adaptive(WORLD.denoise, x, [START, END], Fixed(x), QUIET))
    torch.testing.assert_close(made, WORLD.solved(x, START, END), atol=0.02, rtol=0.02)


def test_dpm_adaptive_ends_when_numbers_are_lost():
    x = starts()
    made = last(solvers.dpm_adaptive(lambda x, sigma: x * math.nan, x, [START, END], Fixed(x), QUIET))
    assert made.isnan().all()


@pytest.mark.parametrize("steps", [8, 19, 20, 35, 36, 50])
def test_restart_walks_down_to_the_end_and_reaches_the_solution_where_it_never_jumps(steps):
    sigmas = [*levels(steps - 1), 0.0]
    walk = restart_levels(sigmas)
    ups = [(walk[i][1], walk[i + 1][0]) for i in range(len(walk) - 1) if walk[i + 1][0] > walk[i][1]]
    assert len(walk) == steps
    assert walk[-1][1] == 0
    assert all(a > b for a, b in walk)
    assert len(ups) == (0 if steps < 20 else 1 if steps < 36 else 2)
    assert all(low == pytest.approx(0.1, rel=0.5) and high == pytest.approx(2, rel=0.35) for low, high in ups)


@pytest.mark.parametrize(
    ("solver", "order"),
    [(solvers.ddim, 1), (solvers.ddim_cfg_pp, 1), (solvers.plms, 2)],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_solvers_over_times_converge_to_the_first_time(solver, order):
    predict, x = GaussianNoise(), starts() / START

    def error_of(stride: int) -> float:
        times = list(range(1, 1000, stride))
        made = last(solver(predict, x, times, Fixed(x), QUIET))
        return float((made - predict.solved(x, times[-1], times[0])).abs().max())

    assert math.log(error_of(9) / error_of(3), 3) > order - 0.2


def unipc_error(params: UniPCParams, steps: int) -> float:
    predict, x = GaussianNoise(), starts() / START
    made = last(solvers.unipc(predict, x, list(range(steps)), Fixed(x), SolverParams(unipc=params)))
    return float((made - predict.solved(x, 999, 0)).abs().max())


@pytest.mark.parametrize("variant", list(UniPCVariant))
@pytest.mark.parametrize("order", [1, 2, 3])
def test_unipcs_corrector_raises_the_order_by_one(variant, order):
    params = UniPCParams(variant, UniPCSkip.LOG_SNR, order, lower_order_final=False)
    assert math.log2(unipc_error(params, 40) / unipc_error(params, 80)) > order + 1 - 0.3


@pytest.mark.parametrize("variant", list(UniPCVariant))
@pytest.mark.parametrize("skip", list(UniPCSkip))
@pytest.mark.parametrize("lower_order_final", [True, False])
def test_unipc_comes_closer_with_more_steps_however_it_spreads_them(variant, skip, lower_order_final):
    params = UniPCParams(variant, skip, 3, lower_order_final)
    assert unipc_error(params, 80) < unipc_error(params, 20) / 3


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_unipc_takes_fewer_steps_than_its_order(steps):
    predict, x = GaussianNoise(), starts() / START
    assert torch.isfinite(last(solvers.unipc(predict, x, list(range(steps)), Fixed(x), SolverParams()))).all()


STOCHASTIC = [
    (solvers.euler_ancestral, 0.06),
    (solvers.dpm2_ancestral, 0.03),
    (solvers.dpmpp_2s_ancestral, 0.03),
    (solvers.dpmpp_sde, 0.03),
    (solvers.dpmpp_2m_sde, 0.03),
    (solvers.dpmpp_2m_sde_heun, 0.03),
    (solvers.dpmpp_3m_sde, 0.03),
    (solvers.restart, 0.03),
]


@pytest.mark.parametrize(("solver", "bound"), STOCHASTIC, ids=lambda value: getattr(value, "__name__", ""))
def test_with_noise_the_pictures_have_the_worlds_distribution(solver, bound):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(1, 1, 150, 150, generator=generator) * math.hypot(START, WORLD.deviation)
    sigmas = torch.tensor([*levels(100, 0.005), 0.0]).tolist()
    made = last(solver(WORLD.denoise, x + WORLD.mean, sigmas, Paths(x, sigmas), SolverParams()))
    assert float(made.mean()) == pytest.approx(WORLD.mean, abs=0.02)
    assert float(made.std()) == pytest.approx(WORLD.deviation, rel=bound)


@pytest.mark.parametrize(
    "solver", [solvers.euler, solvers.heun, solvers.dpm2], ids=lambda solver: solver.__name__
)
def test_churn_keeps_the_distribution(solver):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(1, 1, 150, 150, generator=generator, dtype=torch.float64) * math.hypot(
        START, WORLD.deviation
    )
    params = SolverParams(s_churn=20, s_tmin=0.05, s_tmax=50)
    made = last(solver(WORLD.denoise, x + WORLD.mean, [*levels(200, 0.005), 0.0], Fixed(x, 2), params))
    assert float(made.std()) == pytest.approx(WORLD.deviation, rel=0.04)


@pytest.mark.parametrize(
    ("stochastic", "plain"),
    [
        (solvers.euler_ancestral, solvers.euler),
        (solvers.dpm2_ancestral, solvers.dpm2),
        (solvers.dpmpp_2m_sde, solvers.dpmpp_2m),
        (solvers.dpmpp_sde, solvers.dpmpp_2s_ancestral),
    ],
    ids=lambda solver: solver.__name__,
)
def test_without_eta_a_stochastic_solver_is_its_plain_one(stochastic, plain):
    x = starts()
    sigmas = [*levels(12), 0.0]
    one, other = (last(solver(WORLD.denoise, x, sigmas, Fixed(x), QUIET)) for solver in (stochastic, plain))
    torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("name", [name for name, row in SAMPLERS.items() if row.kind is Kind.SIGMAS])
def test_the_last_step_to_zero_lands_on_the_estimate_of_a_certain_world(name):
    certain, x = Gaussian(deviation=1e-9), starts()
    made = last(SAMPLERS[name].solver(certain.denoise, x, [*levels(6), 0.0], Fixed(x), SolverParams()))
    torch.testing.assert_close(made, torch.full_like(made, certain.mean), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    "solver", [solvers.euler, solvers.heun, solvers.dpm2], ids=lambda solver: solver.__name__
)
@pytest.mark.parametrize(("churn", "draws"), [(0.0, 0), (3.0, 5)])
def test_churn_draws_at_every_step_wherever_it_is_used(solver, churn, draws):
    x = starts()
    noise = Fixed(x)
    last(solver(WORLD.denoise, x, levels(5), noise, SolverParams(s_churn=churn, s_tmin=1.0)))
    assert noise.draws == draws
