"""What a merge comes to, and what its dry run says beforehand."""

import json

import pytest
import torch
from safetensors import safe_open

from modules.errors import EaselError, InvalidRequest, NotFound

UNET = "model.diffusion_model."
FIRST = f"{UNET}input_blocks.0.0.weight"
NAMES = {
    FIRST: (6, 4, 3, 3),
    f"{UNET}input_blocks.4.1.proj_in.weight": (7, 5),
    f"{UNET}middle_block.0.in_layers.2.bias": (9,),
    f"{UNET}output_blocks.3.0.skip_connection.weight": (3, 2),
    "cond_stage_model.transformer.text_model.final_layer_norm.weight": (8,),
    "first_stage_model.decoder.conv_in.weight": (2, 3),
    "model.large": (700, 1000),
}
POSITIONS = "cond_stage_model.transformer.text_model.embeddings.position_ids"
UNIT = {torch.float16: 2**-10, torch.bfloat16: 2**-7, torch.float32: 2**-23}
"""The distance from 1 to the next number of the type."""


def numbers(seed, dtype=torch.float16):
    generator = torch.Generator().manual_seed(seed)
    tensors = {name: torch.randn(shape, generator=generator).to(dtype) for name, shape in NAMES.items()}
    return tensors | {POSITIONS: torch.arange(7)[None], "betas": torch.rand(5, generator=generator)}


@pytest.fixture
def abc(put):
    for seed, name in enumerate("abcd"):
        put(name, numbers(seed))
    return [numbers(seed) for seed in range(4)]


def within_a_rounding(found, exact):
    """`found` is one of the two numbers of its type that `exact`, in float64, lies between."""
    smallest = torch.finfo(found.dtype).tiny
    # What float64 itself rounds remains where numbers cancel each other out to nothing.
    allowed = exact.abs().clamp(min=smallest) * UNIT[found.dtype] + 1e-15
    return bool(((found.double() - exact).abs() <= allowed).all())


@pytest.mark.parametrize("dtype", UNIT, ids=str)
def test_a_formula_is_rounded_once(put, merge, dtype):
    tensors = [numbers(seed, dtype) for seed in range(4)]
    for name, each in zip("abcd", tensors, strict=True):
        put(name, each)
    done = merge(
        tertiary="c",
        models={"D": "d"},
        interp_method="Formula",
        formula="A*0.6 + B*0.4 + (C - D)*m",
        multiplier=0.5,
    )
    a, b, c, d = ({name: each[name].double() for name in NAMES} for each in tensors)
    for name in NAMES:
        exact = a[name] * 0.6 + b[name] * 0.4 + (c[name] - d[name]) * 0.5
        assert done.tensors[name].dtype == dtype
        assert within_a_rounding(done.tensors[name], exact), name


def test_the_classic_methods_round_after_every_operation(abc, merge):
    a, b, c, _ = abc
    done = merge(multiplier=0.3)
    assert all(torch.equal(done.tensors[name], (1 - 0.3) * a[name] + 0.3 * b[name]) for name in NAMES)
    done = merge(tertiary="c", interp_method="Add difference", multiplier=0.7, custom_name="other")
    assert all(torch.equal(done.tensors[name], a[name] + 0.7 * (b[name] - c[name])) for name in NAMES)


def test_what_takes_no_part_is_the_first_models(abc, merge):
    done = merge(save_as="float16")
    assert torch.equal(done.tensors[POSITIONS], abc[0][POSITIONS])
    assert (
        torch.equal(done.tensors["betas"], abc[0]["betas"]) and done.tensors["betas"].dtype == torch.float32
    )


def test_a_block_has_a_multiplier_of_its_own(abc, merge):
    a, b, _, _ = abc
    done = merge(multiplier=0.0, block_weights={"IN04": 1.0, "BASE": 0.5})
    text = "cond_stage_model.transformer.text_model.final_layer_norm.weight"
    assert torch.equal(
        done.tensors[f"{UNET}input_blocks.4.1.proj_in.weight"], b[f"{UNET}input_blocks.4.1.proj_in.weight"]
    )
    assert torch.equal(done.tensors[FIRST], a[FIRST])
    assert torch.equal(done.tensors[text], 0.5 * a[text] + 0.5 * b[text])


def test_a_formula_knows_the_multiplier_of_the_block(abc, merge):
    done = merge(interp_method="Formula", formula="A*(1-m) + B*m", multiplier=0.0, block_weights={"M00": 1.0})
    middle = f"{UNET}middle_block.0.in_layers.2.bias"
    assert torch.equal(done.tensors[middle], abc[1][middle])
    assert torch.equal(done.tensors[FIRST], abc[0][FIRST])


def test_an_unknown_block_is_refused_with_those_that_there_are(abc, plan):
    with pytest.raises(
        InvalidRequest, match=r'no block "IN09"\. Its blocks are: BASE, IN00, IN04, M00, OUT03'
    ):
        plan(block_weights={"IN09": 0.5})


@pytest.mark.parametrize("kind", ["safetensors", "ckpt"])
def test_the_dry_run_says_what_then_happens(abc, merge, kind):
    done = merge(checkpoint_format=kind, save_as="bfloat16")
    dry = done.dry
    assert (
        dry.path == str(done.result.path) and done.result.path.name == f"0.7(a) + 0.3(b).{kind}" == dry.name
    )
    assert dry.size == done.result.size == done.result.path.stat().st_size
    assert dry.dtypes == {"bfloat16": 7, "int64": 1, "float32": 1}
    assert (dry.merged, dry.copied, dry.dropped) == (7, 2, 0)
    assert (dry.refusal, dry.mismatched, dry.only_in_some, dry.replaces) == (None, (), {}, False)
    assert dry.disk_needed < dry.disk_free and dry.memory_needed < dry.memory_free


def test_tensors_that_a_model_lacks(put, merge):
    a, b = numbers(0), numbers(1)
    put("a", a)
    put("b", {**{name: each for name, each in b.items() if name != FIRST}, "model.more": torch.ones(3)})
    done = merge()
    assert torch.equal(done.tensors[FIRST], a[FIRST]) and "model.more" not in done.tensors
    assert done.dry.only_in_some == {"A": (FIRST,), "B": ("model.more",)}
    assert any("is only in B, and not part of the result" in note for note in done.dry.notes)


def test_a_tensor_that_c_lacks_makes_no_difference(abc, put, merge):
    put("c", {name: each for name, each in abc[2].items() if name != FIRST})
    done = merge(tertiary="c", interp_method="Add difference", multiplier=1.0)
    assert torch.equal(done.tensors[FIRST], abc[0][FIRST])


def test_other_shapes_are_listed_and_nothing_is_written(abc, put, plan, merge, folders):
    put("b", abc[1] | {"model.large": torch.ones(3, 3)})
    dry = plan().dry_run
    assert [(each.name, dict(each.shapes)) for each in dry.mismatched] == [
        ("model.large", {"A": (700, 1000), "B": (3, 3)})
    ]
    assert dry.refusal.startswith("1 tensors have different shapes in these models, such as model.large")
    with pytest.raises(EaselError, match="different families or sizes"):
        merge()
    assert not list(folders.new_checkpoints.glob("0.7*"))


def test_models_without_anything_in_common(abc, put, plan):
    put("b", {"other": torch.ones(2)})
    assert "nothing to merge" in plan().dry_run.refusal


@pytest.mark.parametrize(("channels", "kind"), [(9, "inpainting"), (8, "instruct-pix2pix")])
@pytest.mark.parametrize("method", ["Weighted sum", "Formula"])
def test_only_the_latents_channels_of_a_special_model_are_merged(abc, put, merge, channels, kind, method):
    a, b = abc[0][FIRST], abc[1][FIRST]
    special = torch.cat([a, torch.ones(6, channels - 4, 3, 3).half()], 1)
    put("a", abc[0] | {FIRST: special})
    done = merge(multiplier=0.5, interp_method=method, formula="A*0.5 + B*0.5", custom_name="mix")
    assert done.result.path.name == f"mix.{kind}.safetensors"
    assert torch.equal(done.tensors[FIRST][:, 4:], special[:, 4:])
    assert within_a_rounding(done.tensors[FIRST][:, :4], a.double() * 0.5 + b.double() * 0.5)


def test_numbers_of_eight_bits_are_computed_wider(put, merge):
    tensors = [{"model.x": torch.randn(64).to(torch.float8_e4m3fn)} for _ in range(2)]
    put("a", tensors[0])
    put("b", tensors[1])
    done = merge(multiplier=0.5)
    a, b = (each["model.x"].float() for each in tensors)
    assert torch.equal(done.tensors["model.x"].float(), (0.5 * a + 0.5 * b).to(torch.float8_e4m3fn).float())
    put("b", {"model.x": b.half()})
    assert merge(custom_name="mixed").tensors["model.x"].dtype == torch.float16


def test_numbers_that_only_count_with_a_scale_beside_them_are_refused(put, plan):
    put(
        "a",
        {"model.x.weight": torch.ones(4).to(torch.float8_e4m3fn), "model.x.scale_weight": torch.tensor(0.5)},
    )
    put("b", {"model.x.weight": torch.ones(4)})
    with pytest.raises(EaselError, match="keeps its numbers in 8 bits with a scale a layer"):
        plan()


def test_discarded_weights(abc, merge, plan):
    done = merge(discard_weights=r"^first_stage|betas")
    assert set(abc[0]) - set(done.tensors) == {"first_stage_model.decoder.conv_in.weight", "betas"}
    assert done.dry.dropped == 2
    with pytest.raises(InvalidRequest, match="is no regular expression"):
        plan(discard_weights="(")


def test_metadata_of_the_parents_and_of_the_recipe(abc, put, merge):
    put("a", abc[0], {"author": "me", "modelspec.hash_sha256": "0x1", "modelspec.prediction_type": "v"})
    put("b", abc[1], {"author": "you", "title": "B"})
    done = merge(custom_name="first", metadata_json='{"title": "mine", "steps": 3}')
    metadata = metadata_of(done.result.path)
    assert {"author": "you", "title": "mine", "steps": "3", "format": "pt"}.items() <= metadata.items()
    assert "modelspec.hash_sha256" not in metadata, "it was the hash of other bytes"
    again = merge(secondary="first", interp_method="Formula", formula="B*2 - A", custom_name="second")
    parents = json.loads(metadata_of(again.result.path)["sd_merge_models"])
    assert {each["name"] for each in parents.values()} == {
        "a.safetensors",
        "b.safetensors",
        "first.safetensors",
    }
    assert parents[done.result.sha256]["sd_merge_recipe"]["interp_method"] == "Weighted sum"
    recipe = json.loads(metadata_of(again.result.path)["sd_merge_recipe"])
    assert recipe["type"] == "easel" and recipe["formula"] == "B*2 - A"
    assert recipe["models"]["B"] == done.result.sha256


def test_what_drawing_needs_to_know_is_kept_whatever_else_is_not(abc, put, merge):
    put("a", abc[0], {"author": "me", "modelspec.prediction_type": "v"})
    done = merge(save_metadata=False)
    assert metadata_of(done.result.path) == {"format": "pt", "modelspec.prediction_type": "v"}


def test_without_hashing_the_recipe_has_names(abc, shelves, plan, merge, monkeypatch):
    monkeypatch.setattr("modules.checkpoints.HashCache.__init__.__defaults__", None, raising=False)
    planned = plan()
    for parent in planned.parents.values():
        parent.file.hashes.enabled = False
    metadata = planned.metadata(dict.fromkeys(planned.parents))
    assert set(json.loads(metadata["sd_merge_models"])) == {"a.safetensors", "b.safetensors"}


def test_the_hash_of_the_result_is_known_at_once(abc, merge, shelves):
    done = merge(custom_name="new")
    found = shelves().checkpoints.find("new")
    assert found.known_sha256 == done.result.sha256
    import hashlib

    assert done.result.sha256 == hashlib.sha256(done.result.path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"secondary": None}, "secondary"),
        ({"interp_method": "Add difference"}, "tertiary"),
        ({"interp_method": "Formula", "formula": "A + C"}, "formula"),
        ({"interp_method": "Formula", "formula": "A + E", "models": {"E E": "c"}}, "formula"),
        ({"models": {"A": "c"}, "interp_method": "Formula", "formula": "A"}, "models"),
        ({"metadata_json": "[1]"}, "metadata_json"),
        ({"custom_name": "../x"}, "custom_name"),
        ({"bake_in_vae": "nothing"}, "sd_vae"),
    ],
)
def test_what_is_wrong_in_a_request_names_its_field(abc, plan, values, field):
    with pytest.raises(InvalidRequest) as error:
        plan(**values)
    assert error.value.field == field


def test_a_model_that_does_not_exist(abc, plan):
    with pytest.raises(NotFound, match='No checkpoint is called "zzz"'):
        plan(secondary="zzz")
    with pytest.raises(NotFound, match='There is no LoRA called "zzz"'):
        plan(loras=[{"name": "zzz"}])


def test_the_configuration_comes_along(abc, folders, merge):
    (folders.new_checkpoints / "b.yaml").write_text("model: {}")
    done = merge(custom_name="one")
    assert done.result.config.read_text() == "model: {}" and done.dry.config == "one.yaml"
    assert merge(custom_name="two", config_source=3).result.config is None
    assert merge(custom_name="three", config_source=1).result.config.name == "three.yaml"


def metadata_of(path):
    with safe_open(path, "pt") as file:
        return file.metadata()
