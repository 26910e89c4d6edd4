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
