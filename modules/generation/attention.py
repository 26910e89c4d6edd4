"""Which attention a run computes with: the setting, or where that is automatic the command line."""

from modules.flags import Flags
from modules.memory import AttentionKind
from modules.settings import Options

__all__ = ["attention_of"]

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


def attention_of(options: Options, flags: Flags) -> AttentionKind:
    """The setting `cross_attention_optimization`; for "Automatic" the first flag that names an attention."""
    chosen = AttentionKind(options.cross_attention_optimization)
    if chosen is not AttentionKind.AUTOMATIC:
        return chosen
    return next((kind for flag, kind in BY_FLAG if getattr(flags, flag)), AttentionKind.AUTOMATIC)
