"""What holds for conditionings of any prompt, on a real small model."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from modules.checkpoints import Model
from modules.conditioning import (
    Conditioning,
    ConditioningOptions,
    EncodingCache,
    PromptCounter,
    PromptEncoder,
    same_length,
)
from modules.prompts import Emphasis

CLOSE = {"atol": 2e-5, "rtol": 1e-4}
LONG = "a house by the sea, " * 20


@pytest.fixture
def encoder(tiny_model: Model) -> PromptEncoder:
    return PromptEncoder(tiny_model, ConditioningOptions())


def tensor_of(encoder: PromptEncoder, prompt: str) -> Tensor:
    (schedule,) = encoder.negative([prompt], 10)
    return schedule[0].conditioning.cross_attention


def with_emphasis(model: Model, mode: Emphasis) -> PromptEncoder:
    return PromptEncoder(model, ConditioningOptions(emphasis=mode))


@pytest.fixture
def calls(tiny_model: Model):
    """The batch sizes that the text encoder was called with."""
    sizes: list[int] = []
    hook = tiny_model.towers[0].encoder.embeddings.register_forward_hook(
        lambda module, arguments, output: sizes.append(output.shape[0])
    )
    yield sizes
    hook.remove()


def test_the_tower_is_called_as_transformers_calls_it(tiny_model: Model, encoder: PromptEncoder) -> None:
    tower = tiny_model.towers[0]
    ids = tower.tokenizer("a red house", padding="max_length", max_length=77, return_tensors="pt")[
        "input_ids"
    ]
    with torch.inference_mode():
        expected = tower.encoder(ids).last_hidden_state[0]
    assert torch.allclose(tensor_of(encoder, "a red house"), expected, **CLOSE)


def test_a_batch_gives_what_each_prompt_gives_alone(encoder: PromptEncoder, tiny_model: Model) -> None:
    prompts = ["a cat", "(a dog:1.3) [at night:0.5]", LONG, "a cat"]
    together = encoder.positive(prompts, 10)
    for prompt, parts in zip(prompts, together, strict=True):
        (alone,) = PromptEncoder(tiny_model, ConditioningOptions()).positive([prompt], 10)
        for one, other in zip(parts[0].schedule, alone[0].schedule, strict=True):
            assert one.end_at_step == other.end_at_step
            assert torch.allclose(
                one.conditioning.cross_attention, other.conditioning.cross_attention, **CLOSE
            )


def test_a_text_is_encoded_once_however_often_it_stands_in_a_batch(
    encoder: PromptEncoder, calls: list[int]
) -> None:
    encoder.positive(["a cat", "a cat", "a dog AND a cat"], 10)
    assert sum(calls) == 2
    encoder.negative(["a dog"], 10)
    assert sum(calls) == 2


def test_a_cache_that_is_handed_on_spares_the_next_job_and_other_options_do_not_share(
    tiny_model: Model, calls: list[int]
) -> None:
    cache = EncodingCache()
    PromptEncoder(tiny_model, ConditioningOptions(), cache).negative(["a cat"], 10)
    PromptEncoder(tiny_model, ConditioningOptions(), cache).negative(["(a cat:1.4)"], 20)
    assert calls == [1]
    skipping = PromptEncoder(tiny_model, ConditioningOptions(clip_stop_at_last_layers=2), cache)
    assert not torch.equal(
        tensor_of(skipping, "a cat"), tensor_of(PromptEncoder(tiny_model, ConditioningOptions()), "a cat")
    )
    assert calls == [1, 1, 1]


def test_the_cache_keeps_to_its_limit_and_forgets_the_longest_unused() -> None:
    module = torch.nn.Linear(1, 1)
    cache = EncodingCache(limit_bytes=3 * 400)
    for number in range(3):
        cache.put(module, number, torch.zeros(100))
    assert cache.get(module, 0) is not None
    cache.put(module, 3, torch.zeros(100))
    assert [cache.get(module, number) is not None for number in range(4)] == [True, False, True, True]
    del module
    assert len(cache) == 0


def test_a_prompt_with_more_texts_than_the_cache_holds_is_encoded_all_the_same(tiny_model: Model) -> None:
    small = PromptEncoder(tiny_model, ConditioningOptions(), EncodingCache(limit_bytes=1))
    prompt = f"[a|b|c] {LONG}"
    got, expected = (
        one.negative([prompt], 6)[0] for one in (small, PromptEncoder(tiny_model, ConditioningOptions()))
    )
    for one, other in zip(got, expected, strict=True):
        assert torch.allclose(one.conditioning.cross_attention, other.conditioning.cross_attention, **CLOSE)


def test_original_emphasis_keeps_the_mean_over_all_texts_of_the_schedule(tiny_model: Model) -> None:
    prompt = "(a cat:1.5) [in a tree|on a roof|in a tree]"
    plain = with_emphasis(tiny_model, Emphasis.IGNORE).negative([prompt], 5)[0]
    weighted = with_emphasis(tiny_model, Emphasis.ORIGINAL).negative([prompt], 5)[0]
    raw = with_emphasis(tiny_model, Emphasis.NO_NORM).negative([prompt], 5)[0]
    means = [
        torch.stack([entry.conditioning.cross_attention for entry in schedule]).double().mean().item()
        for schedule in (plain, weighted, raw)
    ]
    assert means[1] == pytest.approx(means[0], rel=1e-3)
    assert means[2] != pytest.approx(means[0], rel=1e-3)


@pytest.mark.parametrize(
    ("mode", "same_as"),
    [(Emphasis.IGNORE, "a cat"), (Emphasis.NONE, r"\(a cat:1.5\)")],
    ids=["ignore", "none"],
)
def test_modes_without_weights_read_brackets_or_leave_them(
    mode: Emphasis, same_as: str, tiny_model: Model
) -> None:
    got = tensor_of(with_emphasis(tiny_model, mode), "(a cat:1.5)")
    expected = tensor_of(PromptEncoder(tiny_model, ConditioningOptions()), same_as)
    assert torch.allclose(got, expected, **CLOSE)


def test_texts_of_one_schedule_are_equally_long(encoder: PromptEncoder) -> None:
    (schedule,) = encoder.negative([f"a [cat:{LONG}:3]"], 10)
    assert {entry.conditioning.cross_attention.shape[0] for entry in schedule} == {154}


@pytest.mark.parametrize("skip", [6, 7, 12])
def test_clip_skip_past_the_tower_stops_at_its_first_layer(skip: int, tiny_model: Model) -> None:
    deepest = PromptEncoder(tiny_model, ConditioningOptions(clip_stop_at_last_layers=6))
    other = PromptEncoder(tiny_model, ConditioningOptions(clip_stop_at_last_layers=skip))
    assert torch.equal(tensor_of(deepest, "a cat"), tensor_of(other, "a cat"))


def test_a_second_pass_has_the_texts_of_its_own_steps(encoder: PromptEncoder) -> None:
    ((part,),) = encoder.positive(["[a cat:a dog:1.5]"], 8, hires_steps=10)
    assert [entry.end_at_step for entry in part.schedule] == [5, 10]


@pytest.mark.parametrize(
    ("text", "negative", "expected"),
    [
        ("", False, (0, 75)),
        ("a cat", False, (2, 75)),
        ("a cat <lora:some-long-name:1>", False, (2, 75)),
        ("a cat <lora:x:1>", True, (10, 75)),
        ("a cat AND a dog in the house", False, (5, 75)),
        ("a cat AND a dog in the house", True, (8, 75)),
        ("a [cat:big red dog:0.5]", False, (4, 75)),
        ("(a cat:1.3)", False, (2, 75)),
        ("a BREAK b", False, (76, 150)),
        (LONG, False, (123, 150)),
    ],
)
def test_the_token_counter_counts_the_longest_text_that_is_drawn(
    text: str, negative: bool, expected: tuple[int, int], tiny_model: Model
) -> None:
    counter = PromptCounter(tiny_model.towers[0].tokenizer, ConditioningOptions())
    assert counter.count(text, negative=negative) == expected


def conditioning(*values: float) -> Conditioning:
    return Conditioning(torch.tensor(values).unsqueeze(1))


def test_shorter_conditionings_are_lengthened_by_their_last_vector() -> None:
    short, long = same_length([conditioning(1, 2), conditioning(1, 2, 3, 4)])
    assert short.cross_attention.squeeze(1).tolist() == [1, 2, 2, 2]
    assert long.cross_attention.squeeze(1).tolist() == [1, 2, 3, 4]
    assert same_length([]) == []


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_towers_answer_in_float32_near_the_wide_answer(dtype: torch.dtype, tiny_model: Model) -> None:
    tower = replace(tiny_model.towers[0], encoder=copy.deepcopy(tiny_model.towers[0].encoder).to(dtype))
    narrow = PromptEncoder(replace(tiny_model, towers=(tower,)), ConditioningOptions())
    got = tensor_of(narrow, "(a cat:1.2) in a tree")
    expected = tensor_of(PromptEncoder(tiny_model, ConditioningOptions()), "(a cat:1.2) in a tree")
    assert got.dtype == torch.float32
    assert (got - expected).abs().mean() < 0.05
