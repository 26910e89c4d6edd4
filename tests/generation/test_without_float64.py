"""Apple's and Intel's devices have no float64: no tensor of it comes up while a picture is drawn."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from modules.sampling import SAMPLERS

FROM_NUMPY = torch.ops.aten.lift_fresh.default
MISSING = {torch.float64, torch.complex128}


class NoFloat64(TorchDispatchMode):
    """Fails at the operation that makes a tensor that such a device cannot hold. numpy's numbers may come in, for
    tables that the machine's own memory holds; what is computed with them is of float32.
    """

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result) if func is not FROM_NUMPY else ():
            if isinstance(leaf, torch.Tensor) and leaf.dtype in MISSING:
                raise AssertionError(f"{func} has a {leaf.dtype} of shape {tuple(leaf.shape)}")
        return result


@pytest.fixture
def loaded(house):
    """The model, whose table of noise is computed in float64 when it is read."""
    house.engine.preload(house.store.options.overridden({"sd_model_checkpoint": "tiny-sd1"}))


def test_the_watch_sees_what_it_is_for():
    with pytest.raises(AssertionError, match="float64"), NoFloat64():
        torch.ones(2) * torch.ones(2, dtype=torch.float64)


@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_no_sampler_makes_float64(loaded, draw, sampler):
    with NoFloat64():
        draw({"sampler_name": sampler, "prompt": "a (cat:1.2)"})


@pytest.mark.parametrize(
    "values",
    [{"scheduler": name} for name in ("Karras", "Exponential", "KL Optimal", "Align Your Steps", "Beta")]
    + [
        {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent", "denoising_strength": 0.6},
        {"subseed": 3, "subseed_strength": 0.4},
        {"override_settings": {"upcast_attn": True, "randn_source": "CPU"}},
        {"override_settings": {"randn_source": "NV", "sd_noise_schedule": "Zero Terminal SNR"}},
    ],
    ids=str,
)
def test_nothing_else_makes_float64(loaded, draw, values):
    values = dict(values)
    settings = values.pop("override_settings", {})
    with NoFloat64():
        draw(values, **settings)
