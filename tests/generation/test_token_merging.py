"""Token merging: which tokens go where, held against the plain words of the paper; and the setting."""

import numpy as np
import pytest
import torch

from modules.generation.token_merging import merge_of

from .drawing import pixels

HEIGHT, WIDTH = 5, 6


def tokens(pictures: int = 2) -> torch.Tensor:
    return torch.randn(pictures, HEIGHT * WIDTH, 8, generator=torch.Generator().manual_seed(3))


def merged_by_hand(x: torch.Tensor, ratio: float) -> torch.Tensor:
    """Every token (N, C) of one picture as it comes back: the mean of its kept one's group, or itself."""
    kept = [y * WIDTH + x for y in range(0, HEIGHT - 1, 2) for x in range(0, WIDTH - 1, 2)]
    others = [k for k in range(len(x)) if k not in kept]
    like = torch.nn.functional.cosine_similarity
    nearest = {k: max(kept, key=lambda j, k=k: float(like(x[k], x[j], dim=0))) for k in others}
    closest = sorted(others, key=lambda k: float(like(x[k], x[nearest[k]], dim=0)), reverse=True)
    gone = closest[: int(len(x) * ratio)]
    result = x.clone()
    for j in kept:
        group = [j, *(k for k in gone if nearest[k] == j)]
        result[group] = x[group].mean(dim=0)
    return result


@pytest.mark.parametrize("ratio", [0.1, 0.5, 0.9])
def test_the_most_alike_are_averaged_into_one_of_their_square_and_take_its_answer(ratio):
    x = tokens()
    merge = merge_of(x, HEIGHT, WIDTH, ratio)
    fewer = merge.joined(x)
    assert fewer.shape[1] == HEIGHT * WIDTH - min(int(HEIGHT * WIDTH * ratio), HEIGHT * WIDTH - 6)
    by_hand = torch.stack([merged_by_hand(each, ratio) for each in x])
    torch.testing.assert_close(merge.parted(fewer), by_hand)


def test_where_nothing_is_to_be_merged_nothing_is():
    assert merge_of(tokens(), HEIGHT, WIDTH, 0.01) is None


def test_the_setting_changes_the_picture_says_so_and_leaves_the_model_as_it_was(draw):
    plain = draw()
    merged = draw(token_merging_ratio=0.5)
    assert not np.array_equal(pixels(plain)[0], pixels(merged)[0])
    assert "Token merging ratio: 0.5" in merged.pictures[0].infotext
    assert np.array_equal(pixels(plain)[0], pixels(draw())[0])


def test_the_hires_pass_has_a_ratio_of_its_own(draw):
    hires = {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent", "denoising_strength": 0.5}
    plain, second, both = (
        draw(hires, **settings)
        for settings in ({}, {"token_merging_ratio_hr": 0.5}, {"token_merging_ratio": 0.5})
    )
    assert not np.array_equal(pixels(plain)[0], pixels(second)[0])
    assert not np.array_equal(pixels(both)[0], pixels(second)[0])
    assert "Token merging ratio hr: 0.5" in second.pictures[0].infotext
    assert "Token merging ratio: " not in second.pictures[0].infotext
