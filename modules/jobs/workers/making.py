"""The workers that a command line asks for."""

import os
from collections.abc import Mapping

import torch

from modules.errors import InvalidRequest
from modules.flags import Flags, with_absolute_paths
from modules.generation import Engine
from modules.jobs.work import Worker
from modules.jobs.workers.away import WorkerAway
from modules.jobs.workers.local import LocalWorker
from modules.jobs.workers.process import ProcessWorker

__all__ = ["draws_here", "make_workers"]

MOST_WORKERS = 1024


def make_workers(flags: Flags, engine: Engine) -> list[Worker]:
    """Who draws: the engine itself, processes, or actors on a Ray cluster. Those elsewhere begin to start.

    Raises InvalidRequest for a number of workers that cannot be, or a cluster that does not answer.
    """
    if draws_here(flags, engine):
        return [LocalWorker(engine)]
    elsewhere: list[WorkerAway]
    if flags.ray is not None:
        # Ray is an optional requirement, and slow to import.
        from modules.jobs.workers.ray_cluster import ray_workers

        elsewhere = ray_workers(with_absolute_paths(flags), flags.ray, flags.workers)
    else:
        elsewhere = process_workers(with_absolute_paths(flags), _count(flags, engine))
    for worker in elsewhere:
        worker.start()
    return list(elsewhere)


def draws_here(flags: Flags, engine: Engine) -> bool:
    """Whether the engine of this process draws, so that it is worth loading a checkpoint into it."""
    return flags.ray is None and _count(flags, engine) == 1


def _count(flags: Flags, engine: Engine) -> int:
    if flags.workers is None:
        several = engine.policy.device.type == "cuda" and flags.device_id is None
        return torch.cuda.device_count() if several else 1
    if not 1 <= flags.workers <= MOST_WORKERS:
        raise InvalidRequest(
            "workers", f"--workers {flags.workers}: give a number of workers from 1 to {MOST_WORKERS}."
        )
    return flags.workers


def process_workers(flags: Flags, count: int) -> list[WorkerAway]:
    """So many processes, which share the graphics cards of this machine evenly."""
    cards = cards_of(count, torch.cuda.device_count(), os.environ) if _on_cuda(flags) else [None] * count
    return [
        ProcessWorker(flags, f"process {number}" if card is None else f"process {number} (GPU {card})", card)
        for number, card in enumerate(cards, 1)
    ]


def _on_cuda(flags: Flags) -> bool:
    return not flags.use_cpu and not flags.use_ipex and flags.device_id is None and torch.cuda.is_available()


def cards_of(workers: int, cards: int, environment: Mapping[str, str]) -> list[str | None]:
    """The card of each of `workers` workers, in the words of CUDA_VISIBLE_DEVICES, of which `environment` may
    hold a list already.
    """
    named = [name.strip() for name in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    names = named[:cards] if named else [str(number) for number in range(cards)]
    return [names[number % len(names)] if names else None for number in range(workers)]
