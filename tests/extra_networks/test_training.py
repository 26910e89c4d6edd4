"""What training programs leave in metadata."""

import json

from modules.extra_networks import TagCount, read_training


def told(**tables):
    facts = read_training({key: json.dumps(table) for key, table in tables.items()})
    return dict(facts.rows), facts.tags


def test_tags_of_all_folders_are_added_up_most_frequent_first():
    _, tags = told(ss_tag_frequency={"10_a": {"ink": 3, " hat": 1}, "5_b": {"ink ": 2, "hat": 9, "": 4}})
    assert tags == (TagCount("hat", 10), TagCount("ink", 5))


def test_captions_that_are_sentences_are_counted_by_words():
    _, tags = told(ss_tag_frequency={"a": {"a woman in a red hat": 2, "a man in a red coat by": 1}})
    assert tags[0] == TagCount("red", 3)
    assert TagCount("in", 3) not in tags


def test_sizes_pictures_and_moments():
    rows, _ = told(
        ss_bucket_info={"buckets": {str(n): {"resolution": [512, 256 + n], "count": n} for n in range(1, 7)}},
        ss_dataset_dirs={"10_a": {"img_count": 20}, "5_b": {"img_count": 3}},
        ss_training_started_at=1700000000.5,
    )
    assert rows["Resolutions"] == "262x512, 261x512, 260x512, 259x512, ..."
    assert rows["Training pictures"] == "23"
    assert rows["Trained"] == "2023-11-14 22:13"


def test_plain_facts_are_told_unless_they_are_none():
    facts = read_training({"ss_output_name": "ink", "ss_clip_skip": "None", "ss_network_dim": "16"})
    assert dict(facts.rows) == {"Output name": "ink", "Rank": "16"}


def test_tables_of_another_form_tell_nothing():
    for text in (
        "[",
        "[1]",
        '{"a": 1}',
        '{"a": {"b": "c"}, "buckets": 5}',
        '{"buckets": {"0": {"resolution": 3}}}',
    ):
        facts = read_training(
            dict.fromkeys(
                ("ss_tag_frequency", "ss_bucket_info", "ss_dataset_dirs", "ss_training_started_at"), text
            )
        )
        assert facts.rows == ()
        assert all(tag.count == 0 for tag in facts.tags)
