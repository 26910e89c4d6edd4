"""Conversions, VAEs that are baked in, and names of results."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from modules.checkpoints import load_model
from modules.errors import EaselError, InvalidRequest
from modules.memory import DevicePolicy
from modules.merging.naming import formula_name, result_path

CPU = DevicePolicy(torch.device("cpu"), torch.float32, torch.float32)
EMA = {
    "model.diffusion_model.out.2.weight": torch.ones(4, 3),
    "model.diffusion_model.out.2.bias": torch.ones(4),
    "model_ema.diffusion_modelout2weight": torch.full((4, 3), 2.0),
    "model_ema.diffusion_modelout2bias": torch.full((4,), 3.0),
    "model_ema.decay": torch.tensor(0.9999),
    "model_ema.num_updates": torch.tensor(7, dtype=torch.int32),
    "first_stage_model.decoder.conv_in.weight": torch.ones(2, 2),
}


@pytest.mark.usefixtures("recorded")
def test_a_ckpt_becomes_safetensors_and_is_loaded(folders, parity_models, convert, shelves):
    tensors = load_file(parity_models / "tiny-sd1.safetensors")
    torch.save({"state_dict": tensors, "epoch": 3}, folders.new_checkpoints / "old.ckpt")
    done = convert(checkpoint="old.ckpt", custom_name="new")
    assert done.result.path.name == "new.safetensors" and done.dry.size == done.result.size
    assert all(torch.equal(done.tensors[name], each) for name, each in tensors.items())
    load_model(shelves().checkpoints.find("new"), CPU, folders.configs)


@pytest.mark.usefixtures("recorded")
def test_safetensors_becomes_a_ckpt_and_is_loaded(folders, convert, shelves):
    done = convert(checkpoint="tiny-sd1", checkpoint_format="ckpt", custom_name="old")
    assert done.dry.size == done.result.size and done.dry.config == "old.yaml"
    model = load_model(shelves().checkpoints.find("old.ckpt"), CPU, folders.configs)
    whole = load_model(shelves().checkpoints.find("tiny-sd1"), CPU, folders.configs)
    assert torch.equal(model.unet.conv_in.weight, whole.unet.conv_in.weight)


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32"])
def test_every_number_is_brought_to_the_type(put, convert, kind):
    tensors = {"model.x": torch.randn(50), "betas": torch.rand(5), "model.count": torch.arange(3)}
    put("a", tensors, {"author": "me"})
    done = convert(checkpoint="a", save_as=kind, custom_name="new")
    dtype = getattr(torch, kind)
    assert torch.equal(done.tensors["model.x"], tensors["model.x"].to(dtype))
    assert done.tensors["betas"].dtype == dtype and done.tensors["model.count"].dtype == torch.int64
    with safe_open(done.result.path, "pt") as file:
        metadata = file.metadata()
    assert metadata["author"] == "me"
    assert json.loads(metadata["easel_converted_from"])["name"] == "a.safetensors"


def test_running_averages_are_dropped_or_used(put, convert):
    put("a", EMA)
    dropped = convert(checkpoint="a", ema="drop")
    assert dropped.result.path.name == "a-pruned.safetensors" and dropped.dry.dropped == 4
    assert not any(name.startswith("model_ema.") for name in dropped.tensors)
    assert torch.equal(dropped.tensors["model.diffusion_model.out.2.weight"], torch.ones(4, 3))
    used = convert(checkpoint="a", ema="use").tensors
    assert used.keys() == dropped.tensors.keys()
    assert torch.equal(used["model.diffusion_model.out.2.weight"], torch.full((4, 3), 2.0))
    assert torch.equal(used["model.diffusion_model.out.2.bias"], torch.full((4,), 3.0))


def test_averages_that_are_not_there(put, convert):
    put("a", {"model.x": torch.ones(2)})
    with pytest.raises(InvalidRequest, match="holds no running averages"):
        convert(checkpoint="a", ema="use")
    assert any(
        "so there are none to drop" in note for note in convert(checkpoint="a", ema="drop").result.notes
    )


def test_the_vae_is_left_out(put, convert):
    put("a", EMA)
    done = convert(checkpoint="a", drop_vae=True)
    assert not any(name.startswith("first_stage_model.") for name in done.tensors)
    assert done.result.path.name == "a-no-vae.safetensors"


@pytest.mark.usefixtures("recorded")
def test_a_vae_in_diffusers_names_is_baked_in_too(folders, all_parity_models, merge, shelves):
    from modules.checkpoints import vae_names

    vae = load_file(all_parity_models / "tiny-vae.safetensors")
    renamed = {name: vae[own].clone() for name, own in vae_names(vae).items()}
    folders.vae[0].mkdir(parents=True, exist_ok=True)
    save_file(renamed, folders.vae[0] / "renamed.safetensors")
    values = {"primary": "tiny-sd1", "secondary": None, "interp_method": "No interpolation"}
    one = merge(**values, bake_in_vae="tiny-vae.safetensors", custom_name="one")
    two = merge(**values, bake_in_vae="renamed.safetensors", custom_name="two")
    assert one.dry.from_vae == two.dry.from_vae == len(vae)
    assert all(
        torch.equal(one.tensors[name].reshape(-1), each.reshape(-1)) for name, each in two.tensors.items()
    )


@pytest.mark.usefixtures("recorded")
def test_a_vae_that_does_not_fit(folders, plan):
    folders.vae[0].mkdir(parents=True, exist_ok=True)
    save_file({"decoder.conv_in.weight": torch.ones(3, 3)}, folders.vae[0] / "other.safetensors")
    save_file({"x": torch.ones(3, 3)}, folders.vae[0] / "none.safetensors")
    values = {"primary": "tiny-sd1", "secondary": None, "interp_method": "No interpolation"}
    with pytest.raises(InvalidRequest, match=r"has the shape \[3, 3\] there"):
        plan(**values, bake_in_vae="other")
    with pytest.raises(InvalidRequest, match="it has no tensor that is in the VAE of the checkpoint"):
        plan(**values, bake_in_vae="none")


def test_a_file_of_another_kind_is_refused(folders, convert):
    (folders.new_checkpoints / "page.safetensors").write_text("<html>not found</html>")
    with pytest.raises(EaselError, match=r"page\.safetensors is"):
        convert(checkpoint="page")


def named(folder, custom, made_up="a + b"):
    return result_path(folder, custom, made_up, "", "safetensors").relative_to(folder).as_posix()


@pytest.mark.parametrize(
    ("custom", "found"),
    [
        ("", "a + b.safetensors"),
        ("mine", "mine.safetensors"),
        (" mine.ckpt ", "mine.safetensors"),
        ("anime/mine v1.5", "anime/mine v1.5.safetensors"),
        ("混合", "混合.safetensors"),
    ],
)
def test_names_of_results(tmp_path, custom, found):
    assert named(tmp_path, custom) == found


def test_a_made_up_name_is_one_that_a_file_can_have(tmp_path):
    assert named(tmp_path, "", "sub/a: b") == "sub_a_ b.safetensors"
    assert len(named(tmp_path, "", "ü" * 500).encode()) < 200
    assert formula_name({"A": 0.6, "C": -0.5}, {"A": "a", "C": "c"}) == "0.6(a) - 0.5(c)"


@pytest.mark.parametrize(
    "custom",
    [
        "../x",
        "/etc/x",
        "a//b",
        ".hidden",
        "x/../../y",
        "a\\b",
        "a:b",
        "a\0b",
        "NUL",
        "x.",
        "y" * 200,
        "x.vae",
    ],
)
def test_names_that_lead_elsewhere_or_cannot_be(tmp_path, custom):
    with pytest.raises(InvalidRequest) as error:
        named(tmp_path, custom)
    assert error.value.field == "custom_name"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "out").symlink_to(tmp_path)
    with pytest.raises(InvalidRequest, match="leads out of the folder"):
        named(tmp_path / "models", "out/x")
