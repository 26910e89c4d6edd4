"""Models that never end, take all memory, or are not what they say: in a process of their own, within bounds."""

import json
import shutil
import threading
import time
from contextlib import contextmanager

import psutil
import pytest
from PIL import Image

from modules.errors import EaselError, InvalidRequest
from modules.flags import parse_flags
from modules.interrogation import DescribingProcess, Interrogation, choose_interrogation_policy
from modules.interrogation.config_sizes import check_sizes
from modules.settings import Options
from tests.interrogation.captioners import write_blip, write_git
from tests.interrogation.onnx_files import write_endless, write_hungry, write_tagger

pytest.importorskip("onnxruntime")

PICTURE = Image.new("RGB", (40, 40), (255, 128, 0))
SHORT = Options().overridden({"interrogate_clip_min_length": 2, "interrogate_clip_max_length": 2})
MOST_SECONDS = 2.0
"""In which an interrupted model has ended."""


@pytest.fixture
def endless(folders):
    """A tagger that never answers."""
    write_endless(folders.models / "Interrogators" / "endless" / "model.onnx")
    return "endless"


@pytest.fixture(scope="module")
def blip(tmp_path_factory):
    return write_blip(tmp_path_factory.mktemp("models") / "tiny-blip")


@contextmanager
def asked(interrogation, name, options=SHORT):
    """Ask in a thread; what it raised is in the list once the block is left."""
    raised = []

    def ask():
        try:
            interrogation.describe(PICTURE, name, options)
        except EaselError as error:
            raised.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    yield raised
    thread.join(60)
    assert not thread.is_alive()


def when(happened, seconds=60.0):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


def test_a_graph_without_end_is_ended_by_interrupt_and_the_next_picture_is_described(
    interrogation, endless, process, folders
):
    with asked(interrogation, endless) as raised:
        when(lambda: process.process_id and psutil.Process(process.process_id).cpu_times().user > 1)
        began = time.monotonic()
        when(interrogation.interrupt)
        when(lambda: raised)
        assert time.monotonic() - began < MOST_SECONDS
    assert "model.onnx was interrupted" in str(raised[0])
    assert not interrogation.interrupt()
    home = folders.models / "Interrogators" / "good"
    write_tagger(home / "model.onnx", [1, 16, 16, 3], scores=[0.9, 0.1, 0.8])
    (home / "tags.txt").write_text("one\ntwo\nthree")
    assert interrogation.describe(PICTURE, "good", SHORT).text == "one, three"


def test_a_graph_without_end_is_ended_by_its_time(interrogation, endless):
    options = SHORT.overridden({"interrogate_time_limit": 5})
    with pytest.raises(InvalidRequest, match="said nothing within 5 seconds"):
        interrogation.describe(PICTURE, endless, options)


def test_a_graph_that_takes_all_memory_is_told_in_a_sentence(interrogation, folders):
    write_hungry(folders.models / "Interrogators" / "hungry" / "model.onnx")
    with pytest.raises(EaselError, match=r"failed in onnxruntime|wanted more than|memory does not suffice"):
        interrogation.describe(PICTURE, "hungry", SHORT)


def test_what_works_on_the_processor_keeps_nobody_from_drawing(folders, process):
    @contextmanager
    def turn():
        raise AssertionError("the turn was taken")
        yield

    policy = choose_interrogation_policy(parse_flags(["--use-cpu", "all"], environment={}))
    home = folders.models / "Interrogators" / "good"
    write_tagger(home / "model.onnx", [1, 16, 16, 3], scores=[0.9, 0.1, 0.8])
    (home / "tags.txt").write_text("one\ntwo\nthree")
    said = Interrogation(folders, policy, turn, process).describe(PICTURE, "good", SHORT)
    assert said.text == "one, three"


def test_a_program_that_ends_does_not_wait_for_a_model(folders, endless):
    policy = choose_interrogation_policy(parse_flags(["--use-cpu", "all"], environment={}))
    process = DescribingProcess()
    interrogation = Interrogation(folders, policy, process=process)
    with asked(interrogation, endless) as raised:
        when(lambda: process.process_id)
        child = psutil.Process(process.process_id)
        began = time.monotonic()
        interrogation.close()
        when(lambda: raised)
        assert time.monotonic() - began < MOST_SECONDS
    assert not child.is_running() and "The program is ending" in str(raised[0])
    with pytest.raises(EaselError, match="The program is ending"):
        interrogation.describe(PICTURE, endless, SHORT)


def test_a_process_that_dies_is_told_and_started_again(interrogation, endless, process, folders):
    with asked(interrogation, endless) as raised:
        when(lambda: process.process_id and psutil.Process(process.process_id).cpu_times().user > 1)
        psutil.Process(process.process_id).kill()
    assert "ended the process that it worked in" in str(raised[0])


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("text_config", "num_hidden_layers", 20_000),
        ("vision_config", "num_hidden_layers", 65),
        ("text_config", "hidden_size", 1 << 20),
        ("text_config", "vocab_size", 1 << 40),
        ("vision_config", "intermediate_size", 4096),
    ],
)
def test_a_configuration_of_other_sizes_than_the_file_is_refused_before_anything_is_built(
    blip, tmp_path, part, key, value
):
    folder = shutil.copytree(blip, tmp_path / "lying")
    check_sizes(folder)
    config = json.loads((folder / "config.json").read_text())
    config[part][key] = value
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(EaselError, match=f'says "{key}: {value}", and the model\'s files hold 1 layers'):
        check_sizes(folder)


def test_the_configurations_of_the_libraries_own_models_pass(tmp_path):
    check_sizes(write_git(tmp_path / "tiny-git"))


def test_a_captioner_with_twenty_thousand_layers_is_refused_in_a_sentence(interrogation, blip, folders):
    folder = shutil.copytree(blip, folders.models / "BLIP" / "lying")
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["num_hidden_layers"] = 20_000
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InvalidRequest, match="num_hidden_layers: 20000"):
        interrogation.describe(PICTURE, "clip", SHORT)


def test_a_tokenizer_with_a_broken_expression_is_refused_in_a_sentence(interrogation, blip, folders):
    folder = shutil.copytree(blip, folders.models / "BLIP" / "odd")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    broken = {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated", "invert": False}
    tokenizer["pre_tokenizer"] = broken
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(InvalidRequest, match="odd cannot be loaded"):
        interrogation.describe(PICTURE, "clip", SHORT)
