"""Where the models that describe pictures compute."""

import dataclasses

import torch

from modules.flags import Flags
from modules.memory import DevicePolicy, choose_policy

__all__ = ["choose_interrogation_policy"]

CPU_PARTS = {"all", "interrogate"}


def choose_interrogation_policy(flags: Flags) -> DevicePolicy:
    """The policy of the checkpoint; with `--use-cpu interrogate` the processor, in float32."""
    policy = choose_policy(flags)
    if not CPU_PARTS & set(flags.use_cpu):
        return policy
    wide = torch.float32
    return dataclasses.replace(policy, device=torch.device("cpu"), dtype=wide, vae_dtype=wide)
