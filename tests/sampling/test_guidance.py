"""How positive parts and the negative prompt are joined (BEHAVIOUR section 4)."""

import pytest
import torch
from torch import Tensor

from modules.sampling.guidance import Guidance, GuidanceOptions, at_evaluation
from tests.sampling.worlds import Conditioning, Part, Scheduled, context

X = torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(0))
ALWAYS = 10**6


class Told:
    """A network that answers x plus the mean of what it is told; keeps what it was called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[Tensor, Tensor, Tensor, Tensor | None]] = []

    def __call__(self, x: Tensor, time: Tensor, told: Tensor, vector: Tensor | None) -> Tensor:
        self.calls.append((x, time, told, vector))
        return x + told.mean(dim=(1, 2)).view(-1, 1, 1, 1)


def part(value: float, weight: float = 1.0, length: int = 77) -> Part:
    return Part(weight, (Scheduled(ALWAYS, context(value, length)),))


def negative(value: float = -1.0, length: int = 77) -> tuple[Scheduled, ...]:
    return (Scheduled(ALWAYS, context(value, length)),)


def guide(network, positive, negatives, **options) -> Guidance:
    return Guidance(network, positive, negatives, GuidanceOptions(**options))


@pytest.mark.parametrize("scale", [7.0, 0.0, -2.5, 1.5, 100.0])
def test_any_scale_mixes_the_two_predictions(scale):
    guidance = guide(Told(), [(part(2.0),), (part(3.0),)], [negative()] * 2, scale=scale)
    mixed = guidance(X, 500.0, 5.0) - X
    expected = torch.tensor([-1 + scale * 3, -1 + scale * 4]).view(2, 1, 1, 1)
    torch.testing.assert_close(mixed, expected.expand_as(X), atol=1e-4, rtol=1e-5)


def test_parts_are_weighted_and_pictures_may_have_different_numbers_of_them():
    positive = [(part(2.0, 0.5), part(3.0, -1.2)), (part(1.0),)]
    mixed = guide(Told(), positive, [negative()] * 2, scale=7.0)(X, 500.0, 5.0) - X
    first = -1 + 7 * (0.5 * 3 - 1.2 * 4)
    expected = torch.tensor([first, -1 + 7 * 2]).view(2, 1, 1, 1)
    torch.testing.assert_close(mixed, expected.expand_as(X), atol=1e-4, rtol=1e-5)


def test_equal_lengths_are_evaluated_in_one_call_and_unequal_ones_apart():
    for length, calls in ((77, [4]), (154, [2, 2])):
        network = Told()
        guide(network, [(part(2.0, 1.0, length),)] * 2, [negative()] * 2, scale=7.0)(X, 500.0, 5.0)
        assert [len(call[0]) for call in network.calls] == calls


def test_without_batching_positive_and_negative_are_evaluated_apart_with_equal_numbers():
    together, apart = Told(), Told()
    results = [
        guide(network, [(part(2.0),)] * 2, [negative()] * 2, scale=7.0, batched=network is together)(
            X, 500.0, 5.0
        )
        for network in (together, apart)
    ]
    assert [len(call[0]) for call in apart.calls] == [2, 2]
    torch.testing.assert_close(*results)


@pytest.mark.parametrize(
    ("parts", "scale", "pictures"),
    [((part(2.0),), 1.0, 2), ((part(2.0, 0.5), part(4.0, 0.5)), 1.0, 4), ((part(2.0, 0.25),), 4.0, 2)],
)
def test_where_the_negative_prompt_cancels_out_it_is_not_evaluated(parts, scale, pictures):
    network = Told()
    mixed = guide(network, [parts] * 2, [negative()] * 2, scale=scale)(X, 500.0, 5.0)
    assert [len(call[0]) for call in network.calls] == [pictures]
    value = (
        sum(each.weight * float(each.schedule[0].conditioning.cross_attention[0, 0]) for each in parts)
        * scale
    )
    torch.testing.assert_close(mixed, X + value)


def test_the_unconditional_prediction_is_there_for_who_needs_it():
    guided, alone = guide(Told(), [(part(2.0),)] * 2, [negative()] * 2, scale=1.0).with_unconditional(
        X, 500.0, 5.0
    )
    torch.testing.assert_close(alone, X - 1)
    torch.testing.assert_close(guided, X + 2)


def test_every_second_evaluation_below_the_level_leaves_the_negative_out():
    network = Told()
    parts = (part(2.0, 0.5), part(4.0, 0.3))
    guidance = guide(network, [parts], [negative()], scale=7.0, s_min_uncond=3.0)
    x = X[:1]
    made = [guidance(x, 500.0, level) - x for level in (5.0, 5.0, 2.0, 2.0)]
    full = -1 + 7 * (0.5 * 3 + 0.3 * 5)
    short = 2.0 + (4.0 - 2.0) * 0.3
    for value, expected in zip(made, (full, full, full, short), strict=True):
        torch.testing.assert_close(value, torch.full_like(x, expected), atol=1e-4, rtol=1e-5)
    assert [len(call[0]) for call in network.calls] == [3, 3, 3, 2]


def test_shorter_conditionings_are_lengthened_by_their_last_vector():
    long = Conditioning(torch.arange(154.0).view(154, 1))
    short = Conditioning(torch.arange(77.0).view(77, 1))
    network = Told()
    positive = [(Part(1.0, (Scheduled(ALWAYS, each),)),) for each in (long, short)]
    guide(network, positive, [negative(length=77)] * 2, scale=7.0)(X, 500.0, 5.0)
    told = network.calls[0][2]
    assert torch.equal(told[0], long.cross_attention)
    assert torch.equal(told[1, :77], short.cross_attention)
    assert (told[1, 77:] == 76).all()


@pytest.mark.parametrize(("positive_length", "negative_length"), [(154, 77), (77, 231)])
def test_the_shorter_side_can_be_padded_with_the_empty_prompt(positive_length, negative_length):
    network = Told()
    empty = torch.full((77, 4), 9.0)
    positive = [(part(2.0, 1.0, positive_length),)]
    negatives = [negative(length=negative_length)]
    guide(network, positive, negatives, scale=7.0, pad_with=empty)(X[:1], 500.0, 5.0)
    (call,) = network.calls
    assert call[2].shape == (2, max(positive_length, negative_length), 4)
    shorter = call[2][1 if positive_length > negative_length else 0]
    assert (shorter[:77] != 9).all() and (shorter[77:] == 9).all()


def test_texts_change_by_the_number_of_the_evaluation():
    parts = (Part(1.0, (Scheduled(1, context(1.0)), Scheduled(3, context(5.0)))),)
    network = Told()
    guidance = guide(network, [parts], [negative()], scale=1.0)
    seen = [float((guidance(X[:1], 500.0, 5.0) - X[:1]).mean()) for _ in range(6)]
    assert seen == pytest.approx([1, 1, 5, 5, 1, 1], abs=1e-5)


def test_past_the_end_of_a_schedule_its_first_text_holds():
    schedule = (Scheduled(1, context(1.0)), Scheduled(3, context(5.0)))
    assert at_evaluation(schedule, 4) is schedule[0].conditioning


def test_vectors_and_times_reach_the_network_row_by_row():
    def vectored(value: float) -> Conditioning:
        return Conditioning(context(value).cross_attention, torch.full((6,), value))

    network = Told()
    positive = [(Part(1.0, (Scheduled(ALWAYS, vectored(2.0)),)),)]
    guide(network, positive, [(Scheduled(ALWAYS, vectored(-1.0)),)], scale=7.0)(X[:1], 123.5, 5.0)
    _, time, _, vector = network.calls[0]
    assert time.tolist() == [123.5, 123.5]
    assert vector is not None and vector[:, 0].tolist() == [2.0, -1.0]


@pytest.mark.parametrize(("positive", "negatives"), [(154, 77), (77, 154)])
def test_a_negative_prompt_may_be_brought_to_the_length_of_the_positive_one(positive, negatives):
    network = Told()
    told = Conditioning(torch.arange(float(negatives)).view(-1, 1).expand(-1, 4))
    guidance = guide(
        network,
        [(part(2.0, 1.0, positive),)],
        [(Scheduled(ALWAYS, told),)],
        scale=7.0,
        fits_negative=True,
        pad_with=torch.zeros(77, 4),
    )
    guidance(X[:1], 500.0, 5.0)
    [(_, _, context, _)] = network.calls
    assert context.shape[1] == positive
    assert context[1, :, 0].tolist() == [min(float(k), negatives - 1) for k in range(positive)]
