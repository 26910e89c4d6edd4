"""Depth estimators of the kind DPT-Hybrid (Ranftl et al. 2021): the places of MiDaS' tensors in transformers'
DPTForDepthEstimation, and the sizes of such a model.

Stable Diffusion 2's depth checkpoints carry one; MiDaS published it as `dpt_hybrid-midas-501f0c75.pt`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from transformers import BitConfig, DPTConfig

from modules.checkpoints.sources import Source, Sources

__all__ = ["DPT_MARK", "MIDAS_MARK", "hybrid_config", "midas_names"]

MIDAS_MARK, DPT_MARK = "pretrained.model.cls_token", "dpt.embeddings.cls_token"
"""A tensor that every estimator has, in MiDaS' names and in those of transformers."""

HEAD_WIDTH = 64
PATCH = 16
"""Pixels along a side of what becomes one token."""
VIT = "pretrained.model."
PROCESS, REASSEMBLE = "pretrained.act_postprocess", "neck.reassemble_stage."
CONVOLUTIONS = "dpt.embeddings.backbone.bit."
QKV = re.compile(r"pretrained\.model\.blocks\.(\d+)\.attn\.qkv\.(weight|bias)")
LEVELS = (1, 2, 3, 4)
"""Of the pyramid of features, from fine to coarse."""

PREFIXES = {
    f"{VIT}cls_token": DPT_MARK,
    f"{VIT}pos_embed": "dpt.embeddings.position_embeddings",
    f"{VIT}patch_embed.proj.": "dpt.embeddings.projection.",
    f"{VIT}patch_embed.backbone.stem.conv.": f"{CONVOLUTIONS}embedder.convolution.",
    f"{VIT}patch_embed.backbone.stem.norm.": f"{CONVOLUTIONS}embedder.norm.",
    f"{VIT}patch_embed.backbone.stages.": f"{CONVOLUTIONS}encoder.stages.",
    f"{VIT}blocks.": "dpt.encoder.layer.",
    f"{VIT}norm.": "dpt.layernorm.",
    **{f"{PROCESS}{n}.0.project.": f"{REASSEMBLE}readout_projects.{n - 1}." for n in LEVELS},
    **{f"{PROCESS}{n}.3.": f"{REASSEMBLE}layers.{n - 1}.projection." for n in LEVELS},
    **{f"{PROCESS}{n}.4.": f"{REASSEMBLE}layers.{n - 1}.resize." for n in LEVELS},
    **{f"scratch.layer{n}_rn.": f"neck.convs.{n - 1}." for n in LEVELS},
    # They are fused from coarse to fine.
    **{f"scratch.refinenet{n}.": f"neck.fusion_stage.layers.{4 - n}." for n in LEVELS},
    "scratch.output_conv.": "head.head.",
}
INNER = {
    "dpt.encoder.layer.": {
        ".norm1.": ".layernorm_before.",
        ".norm2.": ".layernorm_after.",
        ".attn.proj.": ".attention.output.dense.",
        ".mlp.fc1.": ".intermediate.dense.",
        ".mlp.fc2.": ".output.dense.",
    },
    f"{CONVOLUTIONS}encoder.": {".blocks.": ".layers."},
    "neck.fusion_stage.": {
        ".resConfUnit1.conv": ".residual_layer1.convolution",
        ".resConfUnit2.conv": ".residual_layer2.convolution",
        ".out_conv.": ".projection.",
    },
}
"""Further replacements, by how the name in transformers begins."""


def midas_names(tensors: Sources) -> dict[str, Source]:
    """Tensors in MiDaS' layout under the names of DPTForDepthEstimation; foreign ones are left out."""
    return dict(pair for name, source in tensors.items() for pair in _places(name, source))


def _places(name: str, source: Source) -> Iterator[tuple[str, Source]]:
    if match := QKV.fullmatch(name):
        for number, part in enumerate(("query", "key", "value")):
            place = f"dpt.encoder.layer.{match[1]}.attention.attention.{part}.{match[2]}"
            yield place, source.rows(number, 3)
        return
    for prefix, place in PREFIXES.items():
        if name.startswith(prefix):
            yield _with_inner(place + name[len(prefix) :]), source


def _with_inner(name: str) -> str:
    for start, replacements in INNER.items():
        if name.startswith(start):
            for old, new in replacements.items():
                name = name.replace(old, new)
    return name


def hybrid_config(sources: Sources) -> DPTConfig:
    """The sizes of an estimator whose tensors have the names of DPTForDepthEstimation.

    Raises KeyError or ValueError for one that is incomplete or of another kind.
    """
    shape = {name: source.shape for name, source in sources.items()}
    tokens, width = shape["dpt.embeddings.position_embeddings"][1:]
    side = round((tokens - 1) ** 0.5)
    stages = _count(sources, f"{CONVOLUTIONS}encoder.stages.")
    depths = [_count(sources, f"{CONVOLUTIONS}encoder.stages.{stage}.layers.") for stage in range(stages)]
    widths = [
        shape[f"{CONVOLUTIONS}encoder.stages.{stage}.layers.0.conv3.weight"][0] for stage in range(stages)
    ]
    layers = _count(sources, "dpt.encoder.layer.")
    return DPTConfig(
        is_hybrid=True,
        image_size=side * PATCH,
        patch_size=PATCH,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=max(1, width // HEAD_WIDTH),
        intermediate_size=shape["dpt.encoder.layer.0.intermediate.dense.weight"][0],
        layer_norm_eps=1e-6,
        # Two of the convolutions' stages, the layer at three quarters and the last.
        backbone_out_indices=[0, 1, layers * 3 // 4 - 1, layers - 1],
        backbone_featmap_shape=[1, shape["dpt.embeddings.projection.weight"][1], side, side],
        backbone_config=BitConfig(
            embedding_size=shape[f"{CONVOLUTIONS}embedder.convolution.weight"][0],
            hidden_sizes=widths,
            depths=depths,
            layer_type="bottleneck",
            global_padding="same",
            embedding_dynamic_padding=True,
            out_features=[f"stage{stage + 1}" for stage in range(stages)],
        ),
        neck_hidden_sizes=[shape[f"neck.convs.{level}.weight"][1] for level in range(4)],
        reassemble_factors=[1, 1, 1, 0.5],
        fusion_hidden_size=shape["neck.convs.0.weight"][0],
    )


def _count(sources: Sources, start: str) -> int:
    """How many different parts of a name follow `start`."""
    return len({name[len(start) :].partition(".")[0] for name in sources if name.startswith(start)})
