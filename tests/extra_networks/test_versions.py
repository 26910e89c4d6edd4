"""Which Stable Diffusion a network is made for."""

import pytest

from modules.extra_networks.versions import ModelVersion, version_of_metadata, version_of_shapes


@pytest.mark.parametrize(
    ("metadata", "version"),
    [
        ({"ss_base_model_version": "sdxl_base_v1-0"}, "SDXL"),
        ({"ss_base_model_version": "sd_v1"}, "SD1"),
        ({"ss_base_model_version": "sd_v2_768_v"}, "SD2"),
        ({"ss_base_model_version": "flux1"}, "Unknown"),
        ({"modelspec.architecture": "stable-diffusion-xl-v1-base/lora"}, "SDXL"),
        ({"modelspec.architecture": "stable-diffusion-v1/lora"}, "SD1"),
        ({"ss_v2": "True"}, "SD2"),
        ({"ss_v2": "False"}, "SD1"),
        ({"format": "pt"}, "Unknown"),
        ({}, "Unknown"),
    ],
)
def test_metadata_tell_it(metadata, version):
    assert version_of_metadata(metadata) == version


@pytest.mark.parametrize(
    ("name", "shape", "version"),
    [
        ("lora_unet_down_blocks_0_attn2_to_k.lora_down.weight", (4, 768), "SD1"),
        ("unet.down_blocks.0.attn2.to_k.lora_A.weight", (4, 1024), "SD2"),
        ("lora_unet_input_blocks_4_attn2_to_k.hada_w1_b", (4, 2048), "SDXL"),
        ("lora_unet_down_blocks_0_attn1_to_k.lora_down.weight", (4, 768), "Unknown"),
        ("lora_unet_down_blocks_0_attn2_to_k.lora_up.weight", (768, 4), "Unknown"),
        ("lora_unet_down_blocks_0_attn2_to_k.lora_down.weight", (4, 4096), "Unknown"),
    ],
)
def test_shapes_tell_it_where_metadata_do_not(name, shape, version):
    assert version_of_shapes([("x", (1,)), (name, shape)]) == version


def test_a_text_that_is_no_version_is_unknown():
    assert ModelVersion.named("Pony") is ModelVersion.UNKNOWN
    assert ModelVersion.named("SDXL") is ModelVersion.SDXL
