"""Which device, which number type, which attention, how many threads: decided once, in one place."""

from modules.memory.attention import attention_scope, lightest_attention, set_attention, xformers_lack
from modules.memory.blocks import most_at_a_time
from modules.memory.forecast import (
    Forecast,
    ModelCosts,
    NotEnoughMemory,
    PartWeights,
    Pass,
    Work,
    forecast,
    largest_that_fits,
    most_given_pixels,
)
from modules.memory.heap import give_back_heap, keep_one_heap
from modules.memory.kinds import AttentionKind
from modules.memory.modes import (
    MemoryMode,
    lighter,
    lightest,
    mode_of_flags,
    modes_from,
    modes_matter,
)
from modules.memory.pages import fetch_pages
from modules.memory.placement import Placement
from modules.memory.policy import DeviceFlags, DevicePolicy, choose_policy
from modules.memory.rehearsal import Rehearsal, rehearse
from modules.memory.report import MemoryReport, memory_report
from modules.memory.room import free_memory, memory_for_us, resident_memory
from modules.memory.slices import Chunks
from modules.memory.spinning import SpinControl
from modules.memory.threads import check_threads, each_alone, physical_cores, set_threads, threads_scope

__all__ = [
    "AttentionKind",
    "Chunks",
    "DeviceFlags",
    "DevicePolicy",
    "Forecast",
    "MemoryMode",
    "MemoryReport",
    "ModelCosts",
    "NotEnoughMemory",
    "PartWeights",
    "Pass",
    "Placement",
    "Rehearsal",
    "SpinControl",
    "Work",
    "attention_scope",
    "check_threads",
    "choose_policy",
    "each_alone",
    "fetch_pages",
    "forecast",
    "free_memory",
    "give_back_heap",
    "keep_one_heap",
    "largest_that_fits",
    "lighter",
    "lightest",
    "lightest_attention",
    "memory_for_us",
    "memory_report",
    "mode_of_flags",
    "modes_from",
    "modes_matter",
    "most_at_a_time",
    "most_given_pixels",
    "physical_cores",
    "rehearse",
    "resident_memory",
    "set_attention",
    "set_threads",
    "threads_scope",
    "xformers_lack",
]
