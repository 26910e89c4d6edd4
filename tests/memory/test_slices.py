"""Attention a part at a time: whatever the parts, it is the plain formula; and how large the parts are."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from modules.memory.kinds import SLICED, AttentionKind
from modules.memory.slices import COPIES, Chunks, Scores, Slices, bytes_of_slices, sliced_attention, slices_of

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
ODD = st.integers(1, 37)
SD1 = Scores(pairs=16, queries=4096, keys=4096, itemsize=4)
"""The largest attention of Stable Diffusion 1 at 512x512, for a prompt and its negative."""


def plain(query, key, value, scale):
    return torch.softmax(query.double() @ key.double().mT * scale, -1) @ value.double()


def some(pairs, queries, keys, width=8, hotter=1.0):
    generator = torch.Generator().manual_seed(pairs + queries + keys)
    shapes = ((pairs, queries, width), (pairs, keys, width), (pairs, keys, width))
    query, key, value = (torch.randn(shape, generator=generator) for shape in shapes)
    return query * hotter, key, value


@given(st.integers(1, 5), ODD, ODD, st.builds(Slices, st.integers(1, 6), ODD, ODD))
def test_any_slices_give_the_plain_formula(pairs, queries, keys, slices):
    tensors = some(pairs, queries, keys)
    made = sliced_attention(*tensors, 0.35, slices)
    assert made.dtype == torch.float32
    assert torch.allclose(made.double(), plain(*tensors, 0.35), atol=1e-5)


@pytest.mark.parametrize("kind", list(AttentionKind))
@pytest.mark.parametrize(("queries", "keys"), [(4095, 77), (33, 33), (1, 231)], ids=["cross", "self", "one"])
@pytest.mark.parametrize("free", [0, 300 * KIB, GIB])
def test_every_kind_slices_to_the_same_answer(kind, queries, keys, free):
    tensors = some(3, queries, keys)
    slices = slices_of(kind, Scores(3, queries, keys, 4), free, Chunks(queries=100))
    assert torch.allclose(sliced_attention(*tensors, 0.35, slices).double(), plain(*tensors, 0.35), atol=1e-5)


def test_keys_in_parts_hold_scores_of_hundreds_and_sums_of_thousands_in_half_precision():
    query, key, value = some(1, 5, 3001, hotter=60)
    narrow = query.half(), key.half(), value.half()
    made = sliced_attention(*narrow, 1.0, Slices(1, 5, 64))
    assert made.dtype == torch.float16
    assert torch.allclose(made.double(), plain(*narrow, 1.0), atol=0.1)
    even = torch.zeros(1, 1, 8).half(), torch.zeros(1, 3001, 8).half(), torch.ones(1, 3001, 8).half()
    assert torch.equal(sliced_attention(*even, 1.0, Slices(1, 1, 64)), torch.ones(1, 1, 8).half())


def test_v1_takes_two_heads_at_a_time():
    assert slices_of(AttentionKind.V1, SD1, 0, Chunks()) == Slices(2, 4096, 4096)


def test_invokeai_keeps_to_a_number_of_bytes():
    """64 MiB a head here; heads of 4 MiB go together."""
    assert slices_of(AttentionKind.INVOKEAI, SD1, GIB, Chunks()) == Slices(1, 2048, 4096)
    assert slices_of(AttentionKind.INVOKEAI, Scores(16, 1024, 1024, 4), GIB, Chunks()) == Slices(
        8, 1024, 1024
    )


@pytest.mark.parametrize(
    ("free", "queries"), [(2 * GIB, 4096), (2 * GIB - 1, 2048), (300 * MIB, 512), (0, 64)]
)
def test_doggettx_slices_only_where_memory_is_short(free, queries):
    assert slices_of(AttentionKind.DOGGETTX, SD1, free, Chunks()) == Slices(16, queries, 4096)


@pytest.mark.parametrize(
    ("chunks", "free", "expected"),
    [
        (Chunks(), 8 * GIB, (1024, 4096)),
        (Chunks(), 0, (1024, 64)),
        (Chunks(), 200 * MIB, (1024, 1120)),
        (Chunks(queries=10_000), 8 * GIB, (4096, 4096)),
        (Chunks(queries=7, keys=99, threshold=0), 8 * GIB, (7, 99)),
        (Chunks(keys=99, threshold=50), 8 * GIB, (1024, 4096)),
        (Chunks(keys=99, threshold=5), 8 * GIB, (1024, 99)),
    ],
)
def test_sub_quadratic_follows_its_flags_and_the_memory(chunks, free, expected):
    slices = slices_of(AttentionKind.SUB_QUADRATIC, SD1, free, chunks)
    assert (slices.queries, slices.keys) == expected


@pytest.mark.parametrize("kind", sorted(SLICED))
@pytest.mark.parametrize("tokens", [64, 4096, 65_536])
@pytest.mark.parametrize("free", [0, GIB // 2, 20 * GIB])
def test_what_is_forecast_is_what_slices_take(kind, tokens, free):
    """With ten heads or fewer: two heads of V1 are told as two of five."""
    scores = Scores(16, tokens, tokens, 4)
    slices = slices_of(kind, scores, free, Chunks())
    taken = COPIES * 4 * min(slices.pairs, 16) * min(slices.queries, tokens) * min(slices.keys, tokens)
    told = bytes_of_slices(kind, COPIES * scores.nbytes, tokens, 2, free)
    assert taken <= told <= 2 * taken


def test_kinds_without_a_matrix_take_nothing_for_it():
    assert bytes_of_slices(AttentionKind.AUTOMATIC, 1e9, 4096, 2) == 0
    assert bytes_of_slices(AttentionKind.NONE, 1e9, 4096, 2) == 1e9
