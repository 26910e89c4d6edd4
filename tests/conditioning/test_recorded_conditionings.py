"""The conditionings that the recorded program made, number by number."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.models.embeddings import get_timestep_embedding

from modules.checkpoints import Model
from modules.conditioning import ConditioningOptions, Insertion, PromptEncoder, Scheduled
from modules.prompts import Emphasis

# The emphasis restores a mean that is a thousandth of the numbers it is taken over, so that rounding in the
# seventh digit shows in the fifth.
TOLERANCE = 1e-4
STEPS = 8

VARIANTS = {
    "sd1": ConditioningOptions(),
    "sd1-clipskip2": ConditioningOptions(clip_stop_at_last_layers=2),
    "sd1-nonorm": ConditioningOptions(emphasis=Emphasis.NO_NORM),
    "sd1-comma0": ConditioningOptions(comma_padding_backtrack=0),
    "sd2": ConditioningOptions(),
    "sdxl": ConditioningOptions(),
}
SIZE = 64, 64
REFERENCE = Path(__file__).parents[1] / "parity" / "reference" / "conditioning"
CASES = [
    pytest.param(variant, case, id=f"{variant}-{number}")
    for variant in VARIANTS
    for number, case in enumerate(json.loads((REFERENCE / f"{variant}.json").read_text()))
]


class OneEmbedding:
    """A textual inversion that was recorded with the program."""

    def __init__(self, model: Model, name: str, vectors: torch.Tensor) -> None:
        self._ids = model.towers[0].tokenizer(name, add_special_tokens=False)["input_ids"]
        self._insertion = Insertion(vectors)

    def separated(self, text: str) -> Sequence[str]:
        return (text,)

    def at(self, tokens: Sequence[int], position: int) -> tuple[Insertion, int] | None:
        count = len(self._ids)
        return (self._insertion, count) if list(tokens[position : position + count]) == self._ids else None


@pytest.fixture(scope="module")
def tiny_embedding(tiny_model: Model, parity_models: Path) -> OneEmbedding:
    return OneEmbedding(
        tiny_model,
        "tiny-emb",
        torch.load(parity_models / "embeddings" / "tiny-emb.pt")["string_to_param"]["*"],
    )


FEATURES = 256
NUMBERS = 6


def recorded_vector(vector: torch.Tensor) -> np.ndarray:
    """As the recorded program has it: Fourier features in the place of the six numbers at the end."""
    features = get_timestep_embedding(vector[-NUMBERS:], FEATURES, True, 0)
    return torch.cat([vector[:-NUMBERS], features.flatten()]).numpy()


def assert_schedule(got: Sequence[Scheduled], expected: list[dict], arrays: np.lib.npyio.NpzFile) -> None:
    assert [entry.end_at_step for entry in got] == [entry["end_at_step"] for entry in expected]
    for entry, wanted in zip(got, expected, strict=True):
        tensor = entry.conditioning.cross_attention.numpy()
        np.testing.assert_allclose(tensor, arrays[wanted["array"]], rtol=TOLERANCE, atol=TOLERANCE)
        assert (entry.conditioning.vector is None) == ("vector" not in wanted)
        if entry.conditioning.vector is not None:
            vector = recorded_vector(entry.conditioning.vector)
            np.testing.assert_allclose(vector, arrays[wanted["vector"]], rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize(("variant", "case"), CASES)
def test_a_prompt_gives_the_recorded_conditionings(
    variant: str, case: dict, loaded: Callable[[str], Model], tiny_embedding: OneEmbedding
) -> None:
    arrays = np.load(REFERENCE / f"{variant}.npz")
    family = variant.partition("-")[0]
    # The recorded embedding has vectors for one text encoder.
    embeddings = [tiny_embedding] if family != "sdxl" else []
    encoder = PromptEncoder(loaded(f"tiny-{family}"), VARIANTS[variant], embeddings=embeddings)
    (parts,) = encoder.positive([case["prompt"]], STEPS, size=SIZE)
    (negative,) = encoder.negative([case["prompt"]], STEPS, size=SIZE)
    assert [part.weight for part in parts] == [part["weight"] for part in case["parts"]]
    for part, expected in zip(parts, case["parts"], strict=True):
        assert_schedule(part.schedule, expected["schedule"], arrays)
    assert_schedule(negative, case["as_negative"], arrays)


def test_vectors_that_fill_a_chunk_are_left_behind_by_the_words_before_them(tiny_model: Model) -> None:
    """As the recorded program does (sic), computed here with the library's own text model.

    Behind "cat, " 24 times stand 24 tokens, a comma among the last 20 of them, three vectors, one more word.
    """
    tower = tiny_model.towers[0]
    vectors = torch.randn(3, 64, generator=torch.Generator().manual_seed(4))
    prompt = "cat, " * 24 + "dog " * 10 + ", " + "red " * 13
    encoder = PromptEncoder(
        tiny_model, ConditioningOptions(), embeddings=[OneEmbedding(tiny_model, "zork", vectors)]
    )
    ((scheduled,),) = encoder.negative([prompt + "zork sky"], STEPS)

    tokens = tower.tokenizer(prompt, add_special_tokens=False)["input_ids"]
    (sky,) = tower.tokenizer("sky", add_special_tokens=False)["input_ids"]
    start, end = tower.tokenizer.bos_token_id, tower.tokenizer.eos_token_id
    first, second = tokens[:59], [*tokens[59:], 0, 0, 0, sky]
    assert len(tokens) == 72
    ids = torch.tensor([[start, *part, *[end] * (76 - len(part))] for part in (first, second)])

    def leave_behind(module: torch.nn.Module, arguments: object, output: torch.Tensor) -> torch.Tensor:
        output[0, 73:76] = vectors
        return output

    hook = tower.encoder.embeddings.token_embedding.register_forward_hook(leave_behind)
    with torch.inference_mode():
        expected = torch.cat([*tower.encoder(ids).last_hidden_state])
    hook.remove()
    torch.testing.assert_close(
        scheduled.conditioning.cross_attention, expected, rtol=TOLERANCE, atol=TOLERANCE
    )
