"""Which seed each picture has."""

from modules.generation.seeds import LARGEST_DRAWN_SEED, draw_seed, seeds_of_pictures


def test_each_picture_has_the_next_seed():
    seeds = seeds_of_pictures(10, 5, 0.0, 3)
    assert seeds.seeds == (10, 11, 12)
    assert seeds.subseeds == (5, 6, 7)


def test_with_a_variation_all_pictures_share_the_seed_and_vary_the_other():
    seeds = seeds_of_pictures(10, 5, 0.2, 3)
    assert seeds.seeds == (10, 10, 10)
    assert seeds.subseeds == (5, 6, 7)


def test_only_minus_one_is_drawn():
    assert draw_seed(-2) == -2
    assert draw_seed(0) == 0
    assert 0 <= draw_seed(-1) <= LARGEST_DRAWN_SEED
