"""A small depth estimator with random weights, in both of the ways in which files name its tensors."""

import torch
from torch import Tensor
from transformers import BitConfig, DPTConfig, DPTForDepthEstimation, DPTImageProcessor

SIDE = 64
"""Pixels of the square that it sees."""


def random_estimator() -> DPTForDepthEstimation:
    """Of the kind DPT-Hybrid, with half a million numbers."""
    convolutions = BitConfig(
        embedding_size=32, hidden_sizes=[128, 128, 128], depths=[1, 2, 1], layer_type="bottleneck",
        global_padding="same", embedding_dynamic_padding=True, out_features=["stage1", "stage2", "stage3"],
    )  # fmt: skip
    config = DPTConfig(
        is_hybrid=True, image_size=SIDE, hidden_size=64, num_hidden_layers=12, num_attention_heads=1,
        intermediate_size=48, backbone_featmap_shape=[1, 128, 4, 4], backbone_config=convolutions,
        neck_hidden_sizes=[128, 128, 64, 64], reassemble_factors=[1, 1, 1, 0.5], fusion_hidden_size=16,
    )  # fmt: skip
    estimator = DPTForDepthEstimation(config).eval()
    with torch.no_grad():
        for parameter in estimator.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
        estimator.head.head[4].bias.fill_(5)
    return estimator


def processor() -> DPTImageProcessor:
    """What brings pictures to the estimator's size in diffusers' pipeline."""
    return DPTImageProcessor(size={"height": SIDE, "width": SIDE}, image_mean=[0.5] * 3, image_std=[0.5] * 3)


def in_midas_names(estimator: DPTForDepthEstimation) -> dict[str, Tensor]:
    """Its tensors as `dpt_hybrid-midas-501f0c75.pt` names them."""
    given = estimator.state_dict()
    made: dict[str, Tensor] = {}

    def take(ours: str, theirs: str) -> None:
        for kind in ("weight", "bias"):
            if f"{ours}.{kind}" in given:
                made[f"{theirs}.{kind}"] = given[f"{ours}.{kind}"]

    vit, bit = "pretrained.model", "dpt.embeddings.backbone.bit"
    made[f"{vit}.cls_token"] = given["dpt.embeddings.cls_token"]
    made[f"{vit}.pos_embed"] = given["dpt.embeddings.position_embeddings"]
    take("dpt.embeddings.projection", f"{vit}.patch_embed.proj")
    take("dpt.layernorm", f"{vit}.norm")
    take(f"{bit}.embedder.convolution", f"{vit}.patch_embed.backbone.stem.conv")
    take(f"{bit}.embedder.norm", f"{vit}.patch_embed.backbone.stem.norm")
    for stage, depth in enumerate(estimator.config.backbone_config.depths):
        for layer in range(depth):
            inside = [
                "conv1",
                "conv2",
                "conv3",
                "norm1",
                "norm2",
                "norm3",
                "downsample.conv",
                "downsample.norm",
            ]
            for part in inside:
                take(
                    f"{bit}.encoder.stages.{stage}.layers.{layer}.{part}",
                    f"{vit}.patch_embed.backbone.stages.{stage}.blocks.{layer}.{part}",
                )
    for layer in range(estimator.config.num_hidden_layers):
        ours, theirs = f"dpt.encoder.layer.{layer}", f"{vit}.blocks.{layer}"
        for kind in ("weight", "bias"):
            made[f"{theirs}.attn.qkv.{kind}"] = torch.cat(
                [given[f"{ours}.attention.attention.{part}.{kind}"] for part in ("query", "key", "value")]
            )
        take(f"{ours}.attention.output.dense", f"{theirs}.attn.proj")
        take(f"{ours}.layernorm_before", f"{theirs}.norm1")
        take(f"{ours}.layernorm_after", f"{theirs}.norm2")
        take(f"{ours}.intermediate.dense", f"{theirs}.mlp.fc1")
        take(f"{ours}.output.dense", f"{theirs}.mlp.fc2")
    for number in (3, 4):
        process, stage = f"pretrained.act_postprocess{number}", "neck.reassemble_stage"
        take(f"{stage}.readout_projects.{number - 1}.0", f"{process}.0.project.0")
        take(f"{stage}.layers.{number - 1}.projection", f"{process}.3")
        take(f"{stage}.layers.{number - 1}.resize", f"{process}.4")
    for number in (1, 2, 3, 4):
        take(f"neck.convs.{number - 1}", f"scratch.layer{number}_rn")
        fusion, refine = f"neck.fusion_stage.layers.{4 - number}", f"scratch.refinenet{number}"
        take(f"{fusion}.projection", f"{refine}.out_conv")
        for unit in (1, 2):
            for conv in (1, 2):
                take(
                    f"{fusion}.residual_layer{unit}.convolution{conv}",
                    f"{refine}.resConfUnit{unit}.conv{conv}",
                )
    for number in (0, 2, 4):
        take(f"head.head.{number}", f"scratch.output_conv.{number}")
    assert len(made) == len(given) - 4 * estimator.config.num_hidden_layers
    return {**made, f"{vit}.head.weight": torch.zeros(10, 64)}
