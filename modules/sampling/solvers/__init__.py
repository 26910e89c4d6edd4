"""The samplers as plain functions; `modules.sampling.samplers` names them."""

from modules.sampling.solvers.ancestral import (
    ancestral_step,
    dpm2_ancestral,
    dpmpp_2s_ancestral,
    euler_ancestral,
)
from modules.sampling.solvers.base import (
    Denoise,
    PredictNoise,
    SigmaSolver,
    SolverParams,
    Step,
    StepNoise,
    TimeSolver,
    UniPCParams,
    UniPCSkip,
    UniPCVariant,
)
from modules.sampling.solvers.ddim import ddim, ddim_cfg_pp, plms
from modules.sampling.solvers.dpm_solver import dpm_adaptive, dpm_fast
from modules.sampling.solvers.dpmpp import dpmpp_2m, dpmpp_2m_sde, dpmpp_2m_sde_heun, dpmpp_3m_sde, dpmpp_sde
from modules.sampling.solvers.euler import dpm2, euler, heun
from modules.sampling.solvers.lcm import lcm
from modules.sampling.solvers.lms import lms
from modules.sampling.solvers.restart import restart
from modules.sampling.solvers.unipc import unipc

__all__ = [
    "Denoise",
    "PredictNoise",
    "SigmaSolver",
    "SolverParams",
    "Step",
    "StepNoise",
    "TimeSolver",
    "UniPCParams",
    "UniPCSkip",
    "UniPCVariant",
    "ancestral_step",
    "ddim",
    "ddim_cfg_pp",
    "dpm2",
    "dpm2_ancestral",
    "dpm_adaptive",
    "dpm_fast",
    "dpmpp_2m",
    "dpmpp_2m_sde",
    "dpmpp_2m_sde_heun",
    "dpmpp_2s_ancestral",
    "dpmpp_3m_sde",
    "dpmpp_sde",
    "euler",
    "euler_ancestral",
    "heun",
    "lcm",
    "lms",
    "plms",
    "restart",
    "unipc",
]
