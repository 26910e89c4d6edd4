"""From probabilities to the text of a prompt."""

import numpy as np
import pytest

from modules.errors import EaselError
from modules.interrogation.tags import named_probabilities, tags_text
from modules.settings import Options

FOUND = {"long_hair": 0.9, "smile_(object)": 0.6, "^_^": 0.7, "hat": 0.5, "sky": 0.4999}


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({}, r"^_^, hat, long hair, smile \(object\)"),
        ({"deepbooru_sort_alpha": False}, r"long hair, ^_^, smile \(object\), hat"),
        ({"deepbooru_use_spaces": False}, r"^_^, hat, long_hair, smile_\(object\)"),
        ({"deepbooru_escape": False}, "^_^, hat, long hair, smile (object)"),
        ({"deepbooru_filter_tags": "hat, Long hair,^_^"}, r"smile \(object\)"),
        ({"interrogate_deepbooru_score_threshold": 0.65}, "^_^, long hair"),
        (
            {"interrogate_deepbooru_score_threshold": 0.0, "deepbooru_filter_tags": "sky"},
            r"^_^, hat, long hair, smile \(object\)",
        ),
        (
            {"interrogate_return_ranks": True, "deepbooru_filter_tags": "hat"},
            r"(^_^:0.700), (long hair:0.900), (smile \(object\):0.600)",
        ),
        ({"interrogate_deepbooru_score_threshold": 1.0}, ""),
    ],
)
def test_tags_are_chosen_ordered_and_written_as_the_settings_say(settings, text):
    assert tags_text(FOUND, Options().overridden(settings)) == text


def test_scores_outside_0_to_1_are_taken_for_logits():
    found = named_probabilities("model", ("a", "b"), np.array([0.0, -3.0], np.float32))
    assert found == pytest.approx({"a": 0.5, "b": 0.0474}, abs=1e-4)
    sure = named_probabilities("model", ("a", "b"), np.array([0.0, 1.0], np.float32))
    assert sure == {"a": 0.0, "b": 1.0}


def test_a_list_of_another_model_is_refused():
    with pytest.raises(EaselError, match="answers 2 values, and its list has 3 tags"):
        named_probabilities("model", ("a", "b", None), np.zeros(2, np.float32))
