"""Joining a Ray cluster, or starting one on this machine, and the workers on it."""

import logging
import math
import os
import socket
from typing import Any

import torch

from modules.errors import InvalidRequest
from modules.flags import Flags
from modules.folders import PROGRAM
from modules.jobs.workers.away import WorkerAway

__all__ = ["Cluster", "ray_workers"]

log = logging.getLogger(__name__)

LOCAL = "local"
KNOCK_SECONDS = 10.0
OBJECT_STORE_BYTES = 256 << 20
"""Of a local cluster: room for the pictures that are on their way."""


class Cluster:
    """The connection of this process to a cluster, held until the last worker has left."""

    def __init__(self, address: str, workers: int | None) -> None:
        """Connect, or start a cluster of `workers` processors on this machine.

        Raises InvalidRequest where the package is missing or nobody answers.
        """
        self._members: set[object] = set()
        options: dict[str, Any] = {"address": address}
        if address == LOCAL:
            # Ray's word for a node of one machine: it takes its loopback address, as it does elsewhere than
            # on Linux, and then nobody outside can reach it.
            os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
            options |= {
                "num_cpus": (workers or 1) * torch.get_num_threads(),
                "include_dashboard": False,
                "object_store_memory": OBJECT_STORE_BYTES,
            }
        ray = _import_ray()
        try:
            _knock(address)
            ray.init(log_to_driver=False, logging_level=logging.WARNING, configure_logging=False, **options)
        except Exception as error:
            raise InvalidRequest(
                "ray", f"--ray {address}: the Ray cluster cannot be reached: {error}. See docs/scaling.md."
            ) from error
        self._ray = ray

    def cards(self) -> int:
        """Graphics cards of all machines that are part of it now."""
        return math.floor(self._ray.cluster_resources().get("GPU", 0))

    def join(self, member: object) -> None:
        """Hold the connection for `member`."""
        self._members.add(member)

    def leave(self, member: object) -> None:
        """Let go; after the last one the connection is closed, and a local cluster ends."""
        self._members.discard(member)
        if not self._members:
            self._ray.shutdown()


def ray_workers(flags: Flags, address: str, workers: int | None) -> list[WorkerAway]:
    """`workers` actors on the cluster at `address`: each with a graphics card if there are any. Without a
    number there are as many as the cluster has cards.

    Raises InvalidRequest where the cluster cannot be reached.
    """
    cluster = Cluster(address, workers)
    from modules.jobs.workers.ray_actors import RayWorker

    cards = cluster.cards()
    needs = _needs(cards > 0)
    made: list[WorkerAway] = []
    for number in range(1, (workers or cards or 1) + 1):
        worker = RayWorker(flags, f"actor {number}", needs, cluster)
        cluster.join(worker)
        made.append(worker)
    return made


def _needs(on_cards: bool) -> dict[str, Any]:
    """What an actor asks its machine for: a card of its own, or the processors of its threads."""
    # The program lies at the same place on every machine; Ray's own processes know nothing of it.
    variables = {"PYTHONPATH": str(PROGRAM), "HF_HUB_OFFLINE": "1"}
    room = {"num_gpus": 1, "num_cpus": 1} if on_cards else {"num_cpus": torch.get_num_threads()}
    return {**room, "runtime_env": {"env_vars": variables}}


def _knock(address: str) -> None:
    """See whether anybody listens at HOST:PORT: Ray itself would try for minutes. Raises OSError."""
    host, _, port = address.rpartition(":")
    if port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), KNOCK_SECONDS).close()


def _import_ray() -> Any:
    """Ray, told to send nothing home. Raises InvalidRequest where it is not installed."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise InvalidRequest(
            "ray",
            "--ray needs the package ray, which is not installed. Install it with: "
            "venv/bin/python -m pip install -r requirements-ray.txt",
        ) from error
    return ray
