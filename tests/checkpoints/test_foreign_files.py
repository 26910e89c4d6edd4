"""Files that are no checkpoint are named for what they are; nothing is loaded from them."""

import io
import json
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from modules.checkpoints import CheckpointFile, Family, family_of, load_model, open_tensors, read_tree
from modules.errors import EaselError
from modules.memory import DevicePolicy

CPU = DevicePolicy(torch.device("cpu"), torch.float32, torch.float32)
Checkpoint = Callable[[str], CheckpointFile]
UNET = "model.diffusion_model.input_blocks.0.0.weight"


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "PNG")
    return buffer.getvalue()


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return buffer.getvalue()


def header(tree: object, data: bytes = b"") -> bytes:
    text = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype: str, shape: list[int], *offsets: int) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": list(offsets)}


CONTENTS = {
    "empty": (b"", "is empty"),
    "zeros": (bytes(4096), "filled with zeros"),
    "text": (b"just some words\nand more", 'a text file that begins with "just some words"'),
    "page": (b"<!DOCTYPE html><html><body>Please log in", "a web page"),
    "page-lower": (b"\n  <html>404", "a web page"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
    "png": (png(), "a PNG picture"),
    "gguf": (b"GGUF\x03\x00\x00\x00", "a GGUF file"),
    "noise": (bytes(range(128, 256)) + b"\x00\x01", "in no format that Easel knows"),
    "zip": (zipped(), "a zip archive, not a model"),
    "pickle": (b"\x80\x02K\x01.", "not one that torch wrote"),
    "huge-header": (struct.pack("<Q", 10**9) + b"{" + b" " * 50, "claims to be 1000000000 bytes long"),
    "endless-header": (struct.pack("<Q", 2**63) + b"{" + b" " * 50, "more than the format allows"),
    "short-header": (struct.pack("<Q", 5000) + b'{"a": ', "ends before its header does"),
    "no-json": (header(b'{"a": ]'), "header is not readable"),
    "deep-json": (header(b'{"a":' + b"[" * 100_000), "header is not readable"),
    "no-offsets": (header({"a": {"dtype": "F32", "shape": [1]}}, b"1234"), "makes no sense"),
    "not-a-table": (header({"a": 3}), "makes no sense"),
    "negative": (header({"a": entry("F32", [-1], 0, 4)}, b"1234"), "makes no sense"),
    "fraction": (header({"a": entry("F32", [1.5], 0, 4)}, b"1234"), "makes no sense"),
    "truth": (header({"a": entry("F32", [True], 0, 4)}, b"1234"), "makes no sense"),
    "unknown-type": (header({"a": entry("F3", [1], 0, 4)}, b"1234"), "number type 'F3'"),
    "cut": (header({"a": entry("F32", [4], 0, 16)}, b"1234"), "cut short: 4 of at least 16 bytes"),
    "wrong-length": (header({"a": entry("F32", [2], 0, 4)}, b"1234"), "another length than its shape"),
    "backwards": (header({"a": entry("F32", [0], 4, 0)}, b"1234"), "another length than its shape"),
    "overlap": (
        header({"a": entry("F32", [2], 0, 8), "b": entry("F32", [2], 4, 12)}, bytes(12)),
        '"b" lies over another one',
    ),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_a_file_that_is_no_model_is_called_what_it_is(
    name: str, tmp_path: Path, checkpoint: Checkpoint, configs: Path
) -> None:
    contents, sentence = CONTENTS[name]
    (tmp_path / "odd.safetensors").write_bytes(contents)
    with pytest.raises(EaselError) as refusal:
        load_model(checkpoint("odd.safetensors"), CPU, configs)
    assert "odd.safetensors" in str(refusal.value)
    assert sentence in str(refusal.value)


KINDS = {
    "a LoRA": ["lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight"],
    "a ControlNet": ["control_model.input_blocks.0.0.weight"],
    "a textual inversion embedding": ["emb_params"],
    "an upscaler": ["conv_first.weight", "body.0.weight"],
    "a VAE alone": ["decoder.conv_in.weight", "encoder.conv_in.weight"],
    "a UNet alone": [UNET],
    "a UNet with a VAE but without a text encoder": [UNET, "first_stage_model.decoder.conv_in.weight"],
    "a UNet with a text encoder of another kind": [UNET, "cond_stage_model.t5.shared.weight"],
    "a checkpoint of which only the averaged weights": [
        "model_ema.diffusion_modelinput_blocks00weight",
        "first_stage_model.decoder.conv_in.weight",
        "cond_stage_model.transformer.text_model.final_layer_norm.weight",
    ],
    "a Stable Diffusion 3 checkpoint": ["model.diffusion_model.joint_blocks.0.x"],
    "a Flux checkpoint": ["double_blocks.0.img_attn.qkv.weight"],
    "a part of a model in diffusers' layout": ["down_blocks.0.resnets.0.conv1.weight"],
    "no checkpoint that Easel knows": ["something.else"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_another_kind_is_called_what_it_is(
    kind: str, tmp_path: Path, checkpoint: Checkpoint, configs: Path
) -> None:
    save_file({name: torch.zeros(1) for name in KINDS[kind]}, tmp_path / "other.safetensors")
    with pytest.raises(EaselError, match=rf"other\.safetensors is {re.escape(kind)}"):
        load_model(checkpoint("other.safetensors"), CPU, configs)


@pytest.mark.parametrize("name", ["page", "lfs", "text", "empty", "zeros"])
def test_an_embedding_that_is_no_file_of_torch_is_called_what_it_is(name: str, tmp_path: Path) -> None:
    contents, sentence = CONTENTS[name]
    (tmp_path / "odd.pt").write_bytes(contents)
    with pytest.raises(EaselError, match=r"odd\.pt is ") as refusal:
        read_tree(tmp_path / "odd.pt")
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("wrapper", ["module.", "_orig_mod.", "module._orig_mod."])
def test_names_in_a_wrapper_of_torch_are_those_inside(
    wrapper: str, tmp_path: Path, parity_models: Path
) -> None:
    with safe_open(parity_models / "tiny-sd1.safetensors", "pt") as file:
        wrapped = {f"{wrapper}{name}": file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(wrapped, tmp_path / "wrapped.safetensors")
    assert family_of(tmp_path / "wrapped.safetensors") is Family.SD1
    with open_tensors(tmp_path / "wrapped.safetensors") as file:
        assert UNET in file.tensors


@pytest.mark.parametrize(
    ("lacking", "sentence"),
    [
        ("model.diffusion_model.out.2.weight", "UNet in .* is incomplete"),
        ("model.diffusion_model.output_blocks.7", "UNet in .* is incomplete"),
        ("model.diffusion_model.time_embed.0.bias", "lacks 1 of the 442 tensors of the UNet"),
        ("first_stage_model.encoder.down", "VAE in .* is incomplete"),
        ("first_stage_model.decoder.norm_out.bias", "lacks 1 of the 184 tensors of the VAE"),
        ("cond_stage_model.transformer.text_model.embeddings.token", "text encoder is incomplete"),
        ("cond_stage_model.transformer.text_model.final_layer_norm.weight", "tensors of the text encoder"),
    ],
)
def test_a_checkpoint_with_a_gap_says_which_part_has_it(
    lacking: str,
    sentence: str,
    saved: Callable[..., CheckpointFile],
    tiny_tensors: dict[str, torch.Tensor],
    configs: Path,
) -> None:
    file = saved({name: tensor for name, tensor in tiny_tensors.items() if not name.startswith(lacking)})
    with pytest.raises(EaselError, match=sentence):
        load_model(file, CPU, configs)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("model: [", "not readable as YAML"),
        ("just words", 'no entry "model"'),
        ("model: {params: {linear_start: fast}}", '"linear_start: fast", where a number from'),
        (
            "model: {params: {unet_config: {params: {num_heads: 5}}}}",
            "32, 64, 128, 128 channels cannot be shared out by 5",
        ),
        ("model: {params: {linear_start: -1}}", "linear_start"),
        ("model: {params: {scale_factor: 0}}", "scale_factor"),
        (
            "model: {params: {cond_stage_config: {target: x.FrozenOpenCLIPEmbedder}}}",
            "text encoder is incomplete",
        ),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(
    text: str,
    sentence: str,
    saved: Callable[..., CheckpointFile],
    tiny_tensors: dict[str, torch.Tensor],
    configs: Path,
    tmp_path: Path,
) -> None:
    file = saved(tiny_tensors)
    (tmp_path / "model.yaml").write_text(text)
    with pytest.raises(EaselError, match=sentence):
        load_model(file, CPU, configs)


def test_a_file_that_is_gone_is_said(checkpoint: Checkpoint, configs: Path) -> None:
    with pytest.raises(EaselError, match=r"gone\.safetensors is no longer in .*deleted, moved or renamed"):
        load_model(checkpoint("gone.safetensors"), CPU, configs)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_safetensors_file_is_read_or_refused_and_nothing_else(
    data: st.DataObject, tmp_path: Path
) -> None:
    save_file({"a": torch.ones(3, 4), "b": torch.zeros(2, dtype=torch.int64)}, tmp_path / "whole.safetensors")
    damaged = bytearray((tmp_path / "whole.safetensors").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "hurt.safetensors"
    path.write_bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    try:
        with open_tensors(path) as file:
            for name in file.tensors:
                file.read(name)
    except EaselError as error:
        assert "hurt.safetensors" in str(error)
