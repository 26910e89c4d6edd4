"""The same pictures whatever else is in the queue, and nothing of a job stays behind in the program."""

import os
import random
import shutil
import threading
import time
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from modules.flags import parse_flags
from modules.generation import parse_txt2img
from modules.house import make_house

pytestmark = pytest.mark.slow

TINY = {"prompt": "a cat", "steps": 3, "width": 64, "height": 64, "seed": 7, "sampler_name": "Euler"}
LOUD = {
    "ancestral, tiled, styled": {
        "sampler_name": "Euler a", "tiling": True, "styles": ["soft"], "batch_size": 2,
        "override_settings": {"randn_source": "NV", "eta_noise_seed_delta": 31},
    },
    "hires by another checkpoint": {
        "sampler_name": "DPM++ SDE", "enable_hr": True, "hr_scale": 1.5, "hr_checkpoint_name": "tiny-sd1-b",
        "subseed": 4, "subseed_strength": 0.3, "hr_prompt": "a (dog:1.4)",
        "override_settings": {"CLIP_stop_at_last_layers": 2, "emphasis": "No norm"},
    },
    "exact batches of another checkpoint": {
        "sampler_name": "DDIM", "eta": 0.7, "batch_size": 3, "prompt": "a (cat:1.3) AND a dog",
        "override_settings": {"sd_model_checkpoint": "tiny-sd1-b", "exact_batches": True, "pad_cond_uncond": True},
    },
    "another VAE": {
        "sampler_name": "UniPC", "steps": 4, "prompt": "a [cat:dog:2], one, two", "n_iter": 2,
        "override_settings": {
            "sd_vae": "tiny-vae.safetensors", "randn_source": "CPU", "comma_padding_backtrack": 0,
            "use_old_scheduling": True, "uni_pc_order": 2,
        },
    },
    "inpainting checkpoint, wide attention": {
        "sampler_name": "DPM++ 2M", "scheduler": "Karras", "cfg_scale": 3.5, "s_churn": 2,
        "override_settings": {
            "sd_model_checkpoint": "tiny-sd1-inpainting", "upcast_attn": True, "sgm_noise_multiplier": True,
            "cross_attention_optimization": "sub-quadratic",
        },
    },
    "plain, with a picture upscaler": {
        "enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Lanczos", "hr_second_pass_steps": 2, "cfg_scale": 1,
        "seed_resize_from_w": 128, "seed_resize_from_h": 64, "override_settings": {"persistent_cond_cache": False},
    },
}  # fmt: skip
STYLES = 'name,prompt,negative_prompt\nsoft,"{prompt}, soft light",hard edges\n'
ORDERS = [random.Random(seed).sample(list(LOUD), len(LOUD)) for seed in range(4)]


@pytest.fixture(scope="module")
def new_house(all_parity_models, tmp_path_factory):
    """A function that makes a program of its own, with styles and a VAE."""
    houses = []

    def make():
        data = tmp_path_factory.mktemp("permuted")
        (data / "styles.csv").write_text(STYLES)
        (data / "config.json").write_text('{"sd_model_checkpoint": "tiny-sd1"}')
        (data / "models" / "VAE").mkdir(parents=True)
        shutil.copy(all_parity_models / "tiny-vae.safetensors", data / "models" / "VAE")
        flags = ["--data-dir", str(data), "--ckpt-dir", str(all_parity_models), "--nowebui", "--api"]
        houses.append(make_house(parse_flags(flags, environment={})))
        return houses[-1]

    yield make
    for house in houses:
        house.close()


@pytest.fixture(scope="module")
def busy_house(new_house):
    """One program that draws for all tests of this file."""
    return new_house()


def submit(house, name: str):
    return house.submit_request(parse_txt2img({**TINY, **LOUD[name]}))


def pictures(house, job) -> list[bytes]:
    assert house.queue.wait(job, 300)
    assert job.error is None, job.error
    return [picture.pixels().tobytes() for picture in job.result.pictures]


@pytest.fixture(scope="module")
def alone(new_house) -> dict[str, list[bytes]]:
    """The pictures of each job as the first that a program makes."""
    made = {}
    for name in LOUD:
        house = new_house()
        made[name] = pictures(house, submit(house, name))
        house.close()
    assert len({picture for several in made.values() for picture in several}) == 10
    return made


@pytest.fixture
def disturbance():
    """Somebody in the process who sets and uses all the global sources of randomness all the time."""
    over = threading.Event()

    def disturb():
        dice = random.Random(1)
        while not over.wait(0.002):
            number = dice.getrandbits(31)
            torch.manual_seed(number)
            torch.rand(3)
            np.random.seed(number)
            random.seed(number)

    thread = threading.Thread(target=disturb)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.mark.parametrize("order", ORDERS, ids=["first", "second", "third", "fourth"])
def test_loud_jobs_give_the_same_bits_in_any_order_as_alone(busy_house, alone, disturbance, order):
    jobs = {name: submit(busy_house, name) for name in order}
    for name, job in jobs.items():
        assert pictures(busy_house, job) == alone[name], name
    assert sorted(order, key=lambda name: jobs[name].started) == order


def test_a_job_that_fails_or_is_stopped_leaves_nothing_to_the_next(busy_house, alone):
    """The loudest are cut off in the middle, and one cannot be drawn at all."""
    for name, other in zip(LOUD, reversed(LOUD), strict=True):
        cut = busy_house.submit_request(parse_txt2img({**TINY, **LOUD[name], "steps": 400}))
        wait_until(lambda job=cut: job.report and job.report.done >= 2)
        busy_house.queue.interrupt(cut.id)
        assert pictures(busy_house, submit(busy_house, other)) == alone[other], (name, other)
        assert cut.ended.is_set()


def wait_until(condition) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def surroundings() -> dict[str, object]:
    """What a job could change for the others in the process."""
    numpy_kind, numpy_state, *numpy_rest = np.random.get_state()
    backends = torch.backends
    return {
        "torch's random state": torch.get_rng_state().numpy().tobytes(),
        "numpy's random state": (numpy_kind, numpy_state.tobytes(), *numpy_rest),
        "Python's random state": random.getstate(),
        "default dtype": torch.get_default_dtype(),
        "threads": torch.get_num_threads(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "matmul precision": torch.get_float32_matmul_precision(),
        "mkldnn": backends.mkldnn.enabled,
        "tf32": (backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32, backends.cudnn.benchmark),
        "kinds of attention": (
            backends.cuda.flash_sdp_enabled(),
            backends.cuda.mem_efficient_sdp_enabled(),
            backends.cuda.math_sdp_enabled(),
        ),
        "gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "autocast": torch.is_autocast_enabled("cpu"),
        "environment": dict(os.environ),
        "folder": os.getcwd(),  # noqa: PTH109
        "largest picture": Image.MAX_IMAGE_PIXELS,
        "warnings": list(warnings.filters),
    }


@pytest.mark.parametrize("name", LOUD)
@pytest.mark.parametrize("here", [False, True], ids=["by the queue", "in the caller's thread"])
def test_a_job_changes_nothing_for_the_process(busy_house, name, here):
    pictures(busy_house, submit(busy_house, next(reversed(LOUD))))
    settings = busy_house.store.options.model_dump(), busy_house.folders.config_file.read_bytes()
    before = surroundings()
    if here:
        draw_here(busy_house, name)
    else:
        pictures(busy_house, submit(busy_house, name))
    after = surroundings()
    assert [what for what in before if before[what] != after[what]] == []
    assert (busy_house.store.options.model_dump(), busy_house.folders.config_file.read_bytes()) == settings


def draw_here(house, name: str) -> None:
    from modules.generation import SilentWatcher

    request = parse_txt2img({**TINY, **LOUD[name]})
    options = house.store.for_request(request.override_settings)
    house.engine.make(house.engine.plan(request, options, house.styles, save=False), SilentWatcher())
