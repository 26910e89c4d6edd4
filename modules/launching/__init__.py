"""Getting from a bare machine to a running program. Standard library only."""

from modules.launching.environment import Environment, Stamp
from modules.launching.errors import LaunchError, explain_pip_failure
from modules.launching.install import Plan, check_room, install, plan_install
from modules.launching.machine import Card, Machine, probe_machine
from modules.launching.prepare import prepare
from modules.launching.process import mend_process
from modules.launching.torch_build import TorchBuild, choose_torch
from modules.launching.waiting import WAIT_POLICY, choose_wait_policy

__all__ = [
    "WAIT_POLICY",
    "Card",
    "Environment",
    "LaunchError",
    "Machine",
    "Plan",
    "Stamp",
    "TorchBuild",
    "check_room",
    "choose_torch",
    "choose_wait_policy",
    "explain_pip_failure",
    "install",
    "mend_process",
    "plan_install",
    "prepare",
    "probe_machine",
]
