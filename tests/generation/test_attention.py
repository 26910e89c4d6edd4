"""The kinds of attention draw the same pictures, with adapters too; which one draws is told by setting or flag."""

import re

import numpy as np
import pytest
import torch

from modules.errors import InvalidRequest
from modules.flags import parse_flags
from modules.generation import attention
from modules.generation.attention import attention_of, chunks_of
from modules.memory import AttentionKind, Chunks
from modules.settings import Options

from .drawing import pixels

KINDS = [kind for kind in AttentionKind if kind not in (AttentionKind.AUTOMATIC, AttentionKind.XFORMERS)]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def automatic():
    """By prompt and checkpoint: the picture of torch's own attention."""
    return {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("checkpoint", "prompt"), [("tiny-sd1", "a cat HYPERNET"), ("tiny-sdxl", "a cat")], ids=["sd1", "sdxl"]
)
def test_every_kind_draws_the_same_picture_also_without_free_memory(
    draw, automatic, monkeypatch, checkpoint, prompt, kind, hypernetwork
):
    request = {"prompt": prompt.replace("HYPERNET", hypernetwork), "cfg_scale": 5}
    monkeypatch.setattr("modules.memory.attention.free_memory", lambda device: 0)
    if checkpoint not in automatic:
        automatic[checkpoint] = pixels(draw(request, sd_model_checkpoint=checkpoint))[0]
    made = draw(request, sd_model_checkpoint=checkpoint, cross_attention_optimization=kind.value)
    apart = np.abs(pixels(made)[0] - automatic[checkpoint])
    assert apart.mean() < 0.2
    assert np.percentile(apart, 99.9) <= 2


@pytest.fixture(scope="session")
def hypernetwork(parity_models):
    name = min(path.stem for path in (parity_models / "hypernetworks").iterdir())
    return f"<hypernet:{name}:1>"


def chosen(words, setting="Automatic"):
    options = Options(cross_attention_optimization=setting)
    return attention_of(options, parse_flags(words.split(), environment={}), CPU)


def test_the_setting_goes_before_the_flag_and_leaves_it_the_choice_where_it_is_automatic():
    assert chosen("--opt-sub-quad-attention") == AttentionKind.SUB_QUADRATIC
    assert chosen("--opt-sub-quad-attention", "V1") == AttentionKind.V1
    assert chosen("") == AttentionKind.AUTOMATIC


def test_the_flag_of_xformers_counts_only_where_it_can_compute(monkeypatch):
    assert chosen("--xformers") == AttentionKind.AUTOMATIC
    assert chosen("--xformers --opt-split-attention") == AttentionKind.DOGGETTX
    assert chosen("--force-enable-xformers") == AttentionKind.XFORMERS
    monkeypatch.setattr(attention, "xformers_lack", lambda device: None)
    assert chosen("--xformers") == AttentionKind.XFORMERS


def test_the_chunks_are_those_of_the_flags():
    words = "--sub-quad-q-chunk-size 512 --sub-quad-kv-chunk-size 64 --sub-quad-chunk-threshold 0"
    assert chunks_of(parse_flags(words.split(), environment={})) == Chunks(512, 64, 0)
    assert chunks_of(parse_flags([], environment={})) == Chunks()


@pytest.mark.parametrize(
    "words", ["--sub-quad-q-chunk-size 0", "--sub-quad-kv-chunk-size -1", "--sub-quad-chunk-threshold 101"]
)
def test_chunks_that_are_none_are_refused(words):
    with pytest.raises(InvalidRequest, match=re.escape(words)):
        chunks_of(parse_flags(words.split(), environment={}))
