"""Memory in use, in the shape of the API's `/sdapi/v1/memory`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psutil
import torch

__all__ = ["MemoryReport", "memory_report"]

POOLS = {
    "active": "active_bytes.all",
    "allocated": "allocated_bytes.all",
    "reserved": "reserved_bytes.all",
    "inactive": "inactive_split_bytes.all",
}


@dataclass(frozen=True, slots=True)
class MemoryReport:
    """Bytes. `ram` has free, used (this process alone), total; `cuda` system, pools, events, or an error."""

    ram: dict[str, int]
    cuda: dict[str, Any]


def memory_report() -> MemoryReport:
    """What this process and its CUDA device use now."""
    used = psutil.Process().memory_info().rss
    total = psutil.virtual_memory().total
    ram = {"free": total - used, "used": used, "total": total}
    return MemoryReport(ram=ram, cuda=_cuda_report())


def _cuda_report() -> dict[str, Any]:
    if not torch.cuda.is_available():
        return {"error": "unavailable"}
    free, total = torch.cuda.mem_get_info()
    statistics = torch.cuda.memory_stats()
    pools = {
        pool: {moment: statistics.get(f"{key}.{moment}", 0) for moment in ("current", "peak")}
        for pool, key in POOLS.items()
    }
    return {
        "system": {"free": free, "used": total - free, "total": total},
        **pools,
        "events": {
            "retries": statistics.get("num_alloc_retries", 0),
            "oom": statistics.get("num_ooms", 0),
        },
    }
