"""Checkpoints that draw over a map of depths: against diffusers, in both layouts of their estimator."""

import base64
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionDepth2ImgPipeline
from PIL import Image
from safetensors.torch import load_file, save_file

from modules.checkpoints import ExtraInput, Model, plan_model
from modules.errors import EaselError
from modules.flags import parse_flags
from modules.generation import SilentWatcher, parse_img2img, parse_txt2img
from modules.generation.depth import depth_map
from modules.generation.network import extra_input_for_picture, extra_input_for_text
from modules.house import make_house
from modules.imaging import SaveFormat, encode_picture

from .conftest import CONFIGS, euler, random_tower, random_unet, random_vae, tokenizer
from .depth_models import SIDE, in_midas_names, processor, random_estimator
from .steps import assert_same_steps, our_steps, their_steps

Saved = Callable[..., Model]


def pixels(height: int = SIDE, width: int = SIDE) -> torch.Tensor:
    """(1, 3, height, width) in -1 .. 1, with 8 bits a number."""
    drawn = torch.randint(0, 256, (1, 3, height, width), generator=torch.Generator().manual_seed(5))
    return drawn / 127.5 - 1


def as_picture(tensor: torch.Tensor) -> Image.Image:
    eight = ((tensor[0] + 1) * 127.5).round().to(torch.uint8)
    return Image.fromarray(eight.permute(1, 2, 0).numpy())


def pipeline_with(estimator) -> StableDiffusionDepth2ImgPipeline:
    return StableDiffusionDepth2ImgPipeline(
        unet=random_unet(5, sample_size=64), vae=random_vae(), text_encoder=random_tower(act="gelu"), tokenizer=tokenizer("!"),
        scheduler=euler(), depth_estimator=estimator, feature_extractor=processor(),
    )  # fmt: skip


@pytest.fixture
def pipeline() -> StableDiffusionDepth2ImgPipeline:
    return pipeline_with(random_estimator())


@pytest.fixture
def without_estimator(pipeline, saved: Saved) -> Callable[..., Model]:
    """Loads the checkpoint without its estimator, beside the folder `depth`."""

    def load(depth: Path | None = None) -> Model:
        model = saved(pipeline)
        shutil.rmtree(model.checkpoint.path / "depth_estimator")
        with plan_model(model.checkpoint, CONFIGS, depth=depth) as plan:
            return plan.load(model.policy)

    return load


def test_it_draws_as_diffusers_does(pipeline, saved: Saved) -> None:
    model = saved(pipeline)
    assert model.extra_input is ExtraInput.DEPTH
    with torch.inference_mode():
        extra = extra_input_for_picture(model, pixels())
        depths = pipeline.depth_estimator(pixels()).predicted_depth
    latent = torch.randn(1, 4, SIDE // 8, SIDE // 8)
    # Given a latent in the place of a picture, the pipeline asks that for the size of the map.
    pipeline.vae_scale_factor = 1
    theirs = their_steps(
        pipeline, image=latent, depth_map=depths, strength=1.0, generator=torch.Generator().manual_seed(3)
    )
    assert_same_steps(our_steps(model, extra, latent=latent), theirs)


def test_the_map_is_that_of_diffusers(pipeline, saved: Saved) -> None:
    model = saved(pipeline)
    with torch.inference_mode():
        ours = depth_map(model, pixels())
        theirs = pipeline.prepare_depth_map(
            as_picture(pixels()), None, 1, False, torch.float32, torch.device("cpu")
        )
    assert (ours.min(), ours.max()) == (-1, 1)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-3)


@pytest.mark.parametrize("form", ["midas.pt", "transformers"])
def test_an_estimator_beside_the_checkpoint_serves_as_well(form, without_estimator, tmp_path: Path) -> None:
    estimator = random_estimator()
    folder = tmp_path / "midas"
    folder.mkdir()
    if form == "midas.pt":
        torch.save(in_midas_names(estimator), folder / "dpt_hybrid-midas-501f0c75.pt")
    else:
        estimator.save_pretrained(folder / "dpt-hybrid-midas")
    model = without_estimator(folder)
    assert model.depth_estimator is not None
    with torch.inference_mode():
        expected = estimator(pixels()).predicted_depth
        got = model.depth_estimator(pixels()).predicted_depth
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)


def test_without_an_estimator_a_text_is_drawn_and_a_picture_gets_a_sentence(without_estimator) -> None:
    model = without_estimator()
    flat = extra_input_for_text(model, SIDE, SIDE)
    assert flat is not None and flat.shape == (1, 1, SIDE // 8, SIDE // 8) and not flat.any()
    with pytest.raises(EaselError, match=r"models/midas"):
        extra_input_for_picture(model, pixels())


@pytest.mark.parametrize(("height", "width"), [(64, 128), (200, 72), (640, 64), (64, 64)])
def test_pictures_of_other_proportions_keep_them(height: int, width: int, pipeline, saved: Saved) -> None:
    model = saved(pipeline)
    seen: list[torch.Size] = []
    model.depth_estimator.dpt.embeddings.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0].shape)
    )
    with torch.inference_mode():
        made = depth_map(model, pixels(height, width))
    assert made.shape == (1, 1, height // 8, width // 8)
    rows, columns = seen[0][2:]
    assert rows % 32 == 0 and columns % 32 == 0 and min(rows, columns) >= 32
    if min(height, width) >= SIDE // 2 and max(height, width) <= 4 * SIDE:
        assert rows / columns == pytest.approx(height / width, rel=0.2)


def test_a_picture_without_any_depth_has_an_even_map(pipeline, saved: Saved) -> None:
    model = saved(pipeline)
    with torch.no_grad():
        model.depth_estimator.head.head[4].weight.zero_()
    with torch.inference_mode():
        assert not depth_map(model, pixels()).any()


def test_a_damaged_estimator_is_refused_with_its_name(without_estimator, tmp_path: Path) -> None:
    folder = tmp_path / "midas"
    folder.mkdir()
    tensors = in_midas_names(random_estimator())
    torch.save({n: t for n, t in tensors.items() if "refinenet2" not in n}, folder / "cut.pt")
    with pytest.raises(EaselError, match=r"cut\.pt lacks 10 of the .* depth estimator"):
        without_estimator(folder)
    torch.save({n: t for n, t in tensors.items() if "backbone" not in n}, folder / "cut.pt")
    with pytest.raises(EaselError, match=r"cut\.pt is incomplete or no DPT-Hybrid"):
        without_estimator(folder)


FIRST = "model.diffusion_model.input_blocks.0.0.weight"


@pytest.fixture
def depth_house(tmp_path: Path, parity_models: Path):
    """The program with a single-file checkpoint of this kind, as the first ones were published."""
    tensors = load_file(parity_models / "tiny-sd2.safetensors")
    tensors[FIRST] = torch.cat([tensors[FIRST], tensors[FIRST][:, :1]], dim=1)
    estimator = in_midas_names(random_estimator())
    tensors |= {f"depth_model.model.{name}": tensor.contiguous() for name, tensor in estimator.items()}
    folder = tmp_path / "models" / "Stable-diffusion"
    folder.mkdir(parents=True)
    save_file(tensors, folder / "depth.safetensors")
    for name, source in {"depth.yaml": "tiny-sd2.yaml", "tiny-open-clip.json": "tiny-open-clip.json"}.items():
        shutil.copy(parity_models / source, folder / name)
    house = make_house(parse_flags(["--data-dir", str(tmp_path)], environment={}))
    yield house
    house.close()


def test_a_single_file_draws_from_texts_and_from_pictures(depth_house) -> None:
    house = depth_house
    options = house.store.options.overridden({"sd_model_checkpoint": "depth"})
    small = {"steps": 2, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler"}

    def drawn(request):
        plan = house.engine.plan(request, options, house.styles, save=False)
        return np.asarray(house.engine.make(plan, SilentWatcher()).pictures[0].pixels(), dtype=int)

    def from_picture(picture: Image.Image):
        sent = encode_picture(picture, "", SaveFormat()).data
        given = base64.b64encode(sent).decode()
        return drawn(parse_img2img({**small, "init_images": [given], "denoising_strength": 1.0}))

    assert drawn(parse_txt2img({**small, "enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Lanczos"})).any()
    picture = as_picture(pixels())
    one = from_picture(picture)
    assert house.engine.model.extra_input is ExtraInput.DEPTH
    with torch.no_grad():
        house.engine.model.depth_estimator.head.head[4].weight.neg_()
        house.engine.model.depth_estimator.head.head[4].bias.fill_(40)
    assert np.abs(from_picture(picture) - one).max() > 4
