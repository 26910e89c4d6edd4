"""Which attention a run computes with: the setting, or where that is automatic the command line."""

import torch

from modules.errors import InvalidRequest
from modules.flags import Flags
from modules.memory import AttentionKind, Chunks, xformers_lack
from modules.settings import Options

__all__ = ["attention_of", "chunks_of"]

BY_FLAG = (
    ("force_enable_xformers", AttentionKind.XFORMERS),
    ("xformers", AttentionKind.XFORMERS),
    ("opt_sdp_no_mem_attention", AttentionKind.SDP_NO_MEM),
    ("opt_sdp_attention", AttentionKind.SDP),
    ("opt_sub_quad_attention", AttentionKind.SUB_QUADRATIC),
    ("opt_split_attention_v1", AttentionKind.V1),
    ("opt_split_attention_invokeai", AttentionKind.INVOKEAI),
    ("opt_split_attention", AttentionKind.DOGGETTX),
    ("disable_opt_split_attention", AttentionKind.NONE),
)


def attention_of(options: Options, flags: Flags, device: torch.device) -> AttentionKind:
    """The setting `cross_attention_optimization`; for "Automatic" the first flag that names an attention.

    `--xformers` is a wish, which many a start script holds: it counts where xformers can compute on `device`.
    `--force-enable-xformers` insists.
    """
    chosen = AttentionKind(options.cross_attention_optimization)
    if chosen is not AttentionKind.AUTOMATIC:
        return chosen
    named = (kind for flag, kind in BY_FLAG if getattr(flags, flag) and _is_possible(flag, device))
    return next(named, AttentionKind.AUTOMATIC)


def _is_possible(flag: str, device: torch.device) -> bool:
    return flag != "xformers" or xformers_lack(device) is None


def chunks_of(flags: Flags) -> Chunks:
    """The chunks of the kind "sub-quadratic". Raises InvalidRequest for sizes that are none."""
    for name, least in (("queries", flags.sub_quad_q_chunk_size), ("keys", flags.sub_quad_kv_chunk_size)):
        if least is not None and least < 1:
            size = "q" if name == "queries" else "kv"
            raise InvalidRequest(
                f"sub_quad_{size}_chunk_size",
                f"--sub-quad-{size}-chunk-size {least}: a chunk has at least one of the {name}.",
            )
    threshold = flags.sub_quad_chunk_threshold
    if threshold is not None and not 0 <= threshold <= 100:
        raise InvalidRequest(
            "sub_quad_chunk_threshold",
            f"--sub-quad-chunk-threshold {threshold}: give percent of the free memory, from 0 to 100.",
        )
    return Chunks(flags.sub_quad_q_chunk_size, flags.sub_quad_kv_chunk_size, threshold)
