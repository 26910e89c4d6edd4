"""A single file becomes a model, in sizes told from its tensors."""

import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from safetensors.torch import load_file, save_file

from modules.checkpoints import (
    CheckpointFile,
    Family,
    HashCache,
    Prediction,
    VaeFile,
    load_model,
    plan_model,
    with_vae,
)
from modules.checkpoints.prediction import tried_prediction
from modules.errors import EaselError
from modules.memory import DevicePolicy

CPU = DevicePolicy(torch.device("cpu"), torch.float32, torch.float32)
Tensors = dict[str, torch.Tensor]
Saved = Callable[..., CheckpointFile]


@pytest.fixture
def tiny(parity_models: Path, hashes: HashCache) -> CheckpointFile:
    return CheckpointFile(parity_models / "tiny-sd1.safetensors", hashes, "tiny-sd1.safetensors")


def latent_of(model, seed: int = 0) -> torch.Tensor:
    """What the model's UNet answers to a fixed question."""
    generator = torch.Generator().manual_seed(seed)
    unet = model.unet
    x = torch.randn(1, unet.config.in_channels, 8, 8, generator=generator)
    context = torch.randn(1, 77, unet.config.cross_attention_dim, generator=generator)
    with torch.inference_mode():
        return unet(x.to(unet.dtype), torch.tensor([500.0]), context.to(unet.dtype)).sample


def test_every_tensor_lands_where_diffusers_own_conversion_puts_it(
    tiny: CheckpointFile, tiny_tensors: Tensors, configs: Path
) -> None:
    model = load_model(tiny, CPU, configs)
    for part, convert in ((model.unet, convert_ldm_unet_checkpoint), (model.vae, convert_ldm_vae_checkpoint)):
        expected = convert(dict(tiny_tensors), dict(part.config))
        got = part.state_dict()
        assert got.keys() == expected.keys()
        for name, tensor in got.items():
            assert torch.equal(tensor, expected[name].float().reshape(tensor.shape)), name


def test_the_noise_table_is_the_files_own_bit_for_bit(
    tiny: CheckpointFile, tiny_tensors: Tensors, configs: Path
) -> None:
    assert torch.equal(load_model(tiny, CPU, configs).alphas_cumprod, tiny_tensors["alphas_cumprod"])


def test_the_yaml_beside_a_checkpoint_decides_what_shapes_do_not_tell(
    saved: Saved, tiny_tensors: Tensors, configs: Path, tmp_path: Path
) -> None:
    file = saved(tiny_tensors)
    plain = load_model(file, CPU, configs)
    assert plain.unet.config.attention_head_dim == 8
    assert plain.prediction is Prediction.EPSILON
    (tmp_path / "model.yaml").write_text(
        "model: {params: {parameterization: v, linear_end: 0.02, scale_factor: 0.5, "
        "unet_config: {params: {num_heads: -1, num_head_channels: 16}}}}"
    )
    told = load_model(file, CPU, configs)
    assert told.prediction is Prediction.V
    assert told.latent_scale == 0.5
    assert told.unet.config.attention_head_dim == (2, 4, 8, 8)
    assert told.alphas_cumprod[-1] < plain.alphas_cumprod[-1]


def test_a_text_encoder_named_by_the_yaml_is_looked_up_beside_it(
    parity_models: Path, saved: Saved, tiny_tensors: Tensors, configs: Path, tmp_path: Path
) -> None:
    file = saved(tiny_tensors)
    assert load_model(file, CPU, configs).towers[0].encoder.config.num_attention_heads == 1
    shutil.copy(parity_models / "tiny-sd1.yaml", tmp_path / "model.yaml")
    shutil.copytree(parity_models / "tiny-clip", tmp_path / "tiny-clip")
    assert load_model(file, CPU, configs).towers[0].encoder.config.num_attention_heads == 4


@pytest.mark.parametrize(
    "contents",
    ["[", "[1]", '{"hidden_size": 64, "hidden_act": "no such"}', '{"hidden_size": 64, "num_attention_heads": 5}',
     '{"hidden_size": 64, "num_attention_heads": "many"}', '{"hidden_size": 64, "num_attention_heads": 0}'],
)  # fmt: skip
def test_a_text_encoders_configuration_that_makes_no_sense_is_refused_or_left(
    contents: str, saved: Saved, tiny_tensors: Tensors, configs: Path, tmp_path: Path
) -> None:
    file = saved(tiny_tensors)
    (tmp_path / "model.yaml").write_text("model: {params: {cond_stage_config: {params: {version: odd}}}}")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "config.json").write_text(contents)
    if contents == "[1]":
        assert load_model(file, CPU, configs).towers[0].encoder.config.num_attention_heads == 1
        return
    with pytest.raises(EaselError, match=r"config\.json (is not readable|describes no text encoder)"):
        load_model(file, CPU, configs)


def test_a_configuration_that_names_another_text_encoder_than_there_is_finds_nothing(
    saved: Saved, tiny_tensors: Tensors, configs: Path, tmp_path: Path
) -> None:
    file = saved(renamed(tiny_tensors, "cond_stage_model.transformer.", "cond_stage_model.model."))
    (tmp_path / "model.yaml").write_text(
        "model: {params: {cond_stage_config: {target: x.FrozenCLIPEmbedder}}}"
    )
    with pytest.raises(EaselError, match="text encoder is incomplete"):
        load_model(file, CPU, configs)


@pytest.mark.parametrize("name", ["../../secret", "..", "", "nowhere/at-all"])
def test_a_text_encoder_that_is_nowhere_is_built_from_the_shapes(
    name: str, saved: Saved, tiny_tensors: Tensors, configs: Path, tmp_path: Path
) -> None:
    file = saved(tiny_tensors)
    (tmp_path / "model.yaml").write_text(
        f"model: {{params: {{cond_stage_config: {{params: {{version: '{name}'}}}}}}}}"
    )
    assert load_model(file, CPU, configs).towers[0].encoder.config.num_hidden_layers == 6


def test_the_tokenizer_is_the_standard_one(tiny: CheckpointFile, configs: Path) -> None:
    tokenizer = load_model(tiny, CPU, configs).towers[0].tokenizer
    assert tokenizer("portrait of a beautiful cat", add_special_tokens=False)["input_ids"] == [
        5352,
        539,
        320,
        1215,
        2368,
    ]
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id, len(tokenizer)) == (49406, 49407, 49408)


def test_an_inpainting_checkpoint_is_recognised_by_its_nine_input_channels(
    saved: Saved, tiny_tensors: Tensors, configs: Path
) -> None:
    first = "model.diffusion_model.input_blocks.0.0.weight"
    wide = torch.zeros(32, 9, 3, 3, dtype=torch.float16)
    model = load_model(saved({**tiny_tensors, first: wide}), CPU, configs)
    assert (model.unet.config.in_channels, model.latent_channels) == (9, 4)


def renamed(tensors: Tensors, old: str, new: str) -> Tensors:
    return {name.replace(old, new): tensor for name, tensor in tensors.items()}


def test_early_fine_tunes_without_text_model_in_their_names_load_alike(
    tiny: CheckpointFile, saved: Saved, tiny_tensors: Tensors, configs: Path
) -> None:
    old = load_model(saved(renamed(tiny_tensors, ".transformer.text_model.", ".transformer.")), CPU, configs)
    expected = load_model(tiny, CPU, configs).towers[0].encoder.state_dict()
    got = old.towers[0].encoder.state_dict()
    assert all(torch.equal(got[name], expected[name]) for name in expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64, torch.float8_e4m3fn])
def test_files_in_any_number_type_load(
    dtype: torch.dtype, saved: Saved, tiny_tensors: Tensors, configs: Path
) -> None:
    model = load_model(saved({name: tensor.to(dtype) for name, tensor in tiny_tensors.items()}), CPU, configs)
    assert {parameter.dtype for parameter in model.unet.parameters()} == {torch.float32}
    assert latent_of(model).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_policy_decides_the_types_in_memory(
    dtype: torch.dtype, tiny: CheckpointFile, configs: Path
) -> None:
    model = load_model(tiny, DevicePolicy(torch.device("cpu"), dtype, torch.float32), configs)
    assert model.unet.dtype == model.towers[0].encoder.dtype == dtype
    assert model.vae.dtype == torch.float32
    assert latent_of(model).isfinite().all()


def test_nothing_is_left_without_memory_or_asking_for_gradients(tiny: CheckpointFile, configs: Path) -> None:
    model = load_model(tiny, CPU, configs)
    for part in (model.unet, model.vae, model.towers[0].encoder):
        assert not part.training
        assert not any(
            tensor.is_meta or tensor.requires_grad for tensor in (*part.parameters(), *part.buffers())
        )


def test_a_model_does_not_change_when_its_file_does(
    saved: Saved, tiny_tensors: Tensors, configs: Path
) -> None:
    file = saved({name: tensor.float() for name, tensor in tiny_tensors.items()})
    model = load_model(file, CPU, configs)
    before = latent_of(model)
    with file.path.open("r+b") as raw:
        raw.seek(200_000)
        raw.write(b"\0" * 4_000_000)
    assert torch.equal(latent_of(model), before)


def test_loading_opens_no_connection(
    tiny: CheckpointFile, configs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert load_model(tiny, CPU, configs).family is Family.SD1


@pytest.fixture
def vae_file(tmp_path: Path, tiny_tensors: Tensors, hashes: HashCache) -> VaeFile:
    """tiny-sd1's VAE alone, its last bias moved, under names without prefix."""
    prefix = "first_stage_model."
    alone = {
        name.removeprefix(prefix): tensor for name, tensor in tiny_tensors.items() if name.startswith(prefix)
    }
    alone["decoder.conv_out.bias"] = alone["decoder.conv_out.bias"] + 1
    save_file(alone, tmp_path / "other.vae.safetensors")
    return VaeFile(tmp_path / "other.vae.safetensors", hashes)


def test_a_vae_is_put_in_and_taken_out_again_exactly(
    tiny: CheckpointFile, vae_file: VaeFile, configs: Path
) -> None:
    model = load_model(tiny, CPU, configs)
    other = with_vae(model, vae_file)
    assert other.unet is model.unet
    assert other.vae_file == vae_file
    moved = other.vae.decoder.conv_out.bias - model.vae.decoder.conv_out.bias
    assert torch.allclose(moved, torch.ones(3), atol=1e-3)
    back = with_vae(other, None)
    assert back.vae_file is None
    assert all(torch.equal(a, b) for a, b in zip(back.vae.parameters(), model.vae.parameters(), strict=True))


@pytest.mark.parametrize("old_names", [False, True])
def test_a_vae_in_diffusers_own_layout_is_read_too(
    old_names: bool, tiny: CheckpointFile, configs: Path, tmp_path: Path, hashes: HashCache
) -> None:
    model = load_model(tiny, CPU, configs)
    tensors = {name: tensor.clone() for name, tensor in model.vae.state_dict().items()}
    if old_names:
        renames = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
        for new, old in renames.items():
            tensors = renamed(tensors, new, old)
    save_file(tensors, tmp_path / "theirs.safetensors")
    other = with_vae(model, VaeFile(tmp_path / "theirs.safetensors", hashes))
    assert all(torch.equal(a, b) for a, b in zip(other.vae.parameters(), model.vae.parameters(), strict=True))


def test_a_checkpoint_without_a_vae_loads_with_one_from_a_file(
    saved: Saved, tiny_tensors: Tensors, vae_file: VaeFile, configs: Path
) -> None:
    bare = saved({name: tensor for name, tensor in tiny_tensors.items() if "first_stage" not in name})
    with pytest.raises(EaselError, match=r"model\.safetensors holds no VAE"):
        load_model(bare, CPU, configs)
    assert load_model(bare, CPU, configs, vae_file).vae_file == vae_file


def test_a_plan_finds_faults_before_anything_is_read(
    saved: Saved, tiny_tensors: Tensors, configs: Path
) -> None:
    lacking = "model.diffusion_model.output_blocks.5.0.in_layers.2.weight"
    file = saved({name: tensor for name, tensor in tiny_tensors.items() if name != lacking})
    with pytest.raises(EaselError, match="lacks 1 of the 442 tensors of the UNet"), plan_model(file, configs):
        pytest.fail("the plan was made")


def test_what_a_network_predicts_is_found_out_where_nothing_says_it(
    parity_models: Path, checkpoint: Callable[[str], CheckpointFile], configs: Path, tmp_path: Path
) -> None:
    shutil.copy(parity_models / "tiny-sd2.safetensors", tmp_path / "model.safetensors")
    (tmp_path / "model.yaml").write_text((parity_models / "tiny-sd2.yaml").read_text())
    with plan_model(checkpoint("model.safetensors"), configs) as plan:
        unet = plan.load(CPU).unet
    assert tried_prediction(unet) is Prediction.V


def test_a_network_that_answers_with_the_noise_is_found_out(tiny: CheckpointFile, configs: Path) -> None:
    assert tried_prediction(load_model(tiny, CPU, configs).unet) is Prediction.EPSILON


@pytest.mark.parametrize(
    ("marks", "metadata", "prediction", "ends_in_noise"),
    [
        (["v_pred", "ztsnr"], {}, Prediction.V, True),
        (["v_pred"], {}, Prediction.V, False),
        ([], {"modelspec.prediction_type": "v"}, Prediction.V, False),
        ([], {"modelspec.prediction_type": "epsilon"}, Prediction.EPSILON, False),
        ([], {}, Prediction.EPSILON, False),
    ],
)
def test_a_file_may_say_what_it_predicts_and_that_it_ends_in_noise_alone(
    marks: list[str],
    metadata: dict[str, str],
    prediction: Prediction,
    ends_in_noise: bool,
    tiny_tensors: Tensors,
    checkpoint: Callable[[str], CheckpointFile],
    configs: Path,
    tmp_path: Path,
) -> None:
    marked = tiny_tensors | {mark: torch.zeros(0) for mark in marks}
    save_file(marked, tmp_path / "model.safetensors", metadata=metadata)
    model = load_model(checkpoint("model.safetensors"), CPU, configs)
    assert model.prediction is prediction
    assert bool(model.alphas_cumprod[-1] < 1e-6) is ends_in_noise


def test_a_network_over_an_input_that_nobody_knows_is_refused(
    saved: Saved, tiny_tensors: Tensors, configs: Path
) -> None:
    first = "model.diffusion_model.input_blocks.0.0.weight"
    with pytest.raises(EaselError, match="takes 7 channels and answers with 4"):
        load_model(saved({**tiny_tensors, first: torch.zeros(32, 7, 3, 3)}), CPU, configs)


@pytest.mark.parametrize("name", ["tiny-sd2", "tiny-sdxl"])
def test_every_tensor_of_the_other_families_lands_where_diffusers_puts_it(
    name: str, parity_models: Path, hashes: HashCache, configs: Path
) -> None:
    model = load_model(
        CheckpointFile(parity_models / f"{name}.safetensors", hashes, f"{name}.safetensors"), CPU, configs
    )
    tensors = load_file(parity_models / f"{name}.safetensors")
    expected = convert_ldm_unet_checkpoint(tensors, dict(model.unet.config))
    got = model.unet.state_dict()
    assert got.keys() == expected.keys()
    assert all(torch.equal(got[key], expected[key].float().reshape(got[key].shape)) for key in got)
