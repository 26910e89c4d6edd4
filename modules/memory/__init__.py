"""Which device, which number type, which attention, how many threads: decided once, in one place."""

from modules.memory.attention import AttentionKind, attention_scope, set_attention
from modules.memory.policy import DeviceFlags, DevicePolicy, choose_policy
from modules.memory.report import MemoryReport, memory_report
from modules.memory.threads import physical_cores, set_threads, threads_scope

__all__ = [
    "AttentionKind",
    "DeviceFlags",
    "DevicePolicy",
    "MemoryReport",
    "attention_scope",
    "choose_policy",
    "memory_report",
    "physical_cores",
    "set_attention",
    "set_threads",
    "threads_scope",
]
