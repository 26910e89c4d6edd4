"""Pictures from the command line, with a small model."""

import os
import shutil
import signal
import threading
from pathlib import Path

import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from modules.cli import main

SMALL = ("--steps", "1", "--width", "64", "--height", "64")


@pytest.fixture(scope="module")
def models(tmp_path_factory, parity_models):
    """A checkpoint folder with one small model, whose file says that it was trained at 72x64."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copy(parity_models / "tiny-sd1.yaml", folder / "tiny.yaml")
    tensors = load_file(parity_models / "tiny-sd1.safetensors")
    save_file(tensors, folder / "tiny.safetensors", {"modelspec.resolution": "72x64"})
    return folder


@pytest.fixture
def draw(models, tmp_path, monkeypatch, capsys):
    """Run `generate` with a data folder of its own; gives status, the files it named, and what it said."""
    monkeypatch.delenv("COMMANDLINE_ARGS", raising=False)

    def run(*words: str | Path) -> tuple[int, list[Path], str]:
        own = (
            "--data-dir",
            tmp_path / "data",
            "--ckpt-dir",
            models,
            "--model",
            "tiny.safetensors",
            "--use-cpu",
            "all",
        )
        status = main(["generate", *map(str, (*words, *own))])
        out, err = capsys.readouterr()
        return status, [Path(line) for line in out.splitlines()], err

    return run


def test_a_picture_lands_in_the_file_that_was_named_with_its_text_inside(draw, tmp_path):
    status, files, _ = draw("a cat face", *SMALL, "--seed", "7", "-o", tmp_path / "cat.png")
    assert (status, files) == (0, [tmp_path / "cat.png"])
    picture = Image.open(files[0])
    assert picture.text["parameters"].startswith("a cat face\nSteps: 1, ")
    assert "Seed: 7, " in picture.text["parameters"]
    assert not list((tmp_path / "data/outputs").rglob("*.png"))


def test_the_size_is_the_models_own_unless_it_is_given(draw, tmp_path):
    draw("a cat", "--steps", "1", "-o", tmp_path / "own.png")
    draw("a cat", "--steps", "1", "--width", "64", "--height", "80", "-o", tmp_path / "given.png")
    assert Image.open(tmp_path / "own.png").size == (72, 64)
    assert Image.open(tmp_path / "given.png").size == (64, 80)


def test_several_pictures_are_numbered(draw, tmp_path):
    _, files, _ = draw("a cat", *SMALL, "--batch-count", "2", "-o", tmp_path / "cat.webp")
    assert files == [tmp_path / "cat-1.webp", tmp_path / "cat-2.webp"]
    assert {Image.open(file).format for file in files} == {"WEBP"}


def test_without_a_file_name_it_is_saved_as_always(draw, tmp_path):
    status, files, _ = draw("a cat", *SMALL, "--seed", "5")
    assert status == 0
    assert files[0].name == "00000-5.png"
    assert files[0].is_relative_to(tmp_path / "data/outputs/txt2img-images")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("a cat", "--width", "13"), "width"),
        (("a cat", "--steps", "0"), "steps"),
        (("a cat", "--sampler", "Eurel"), "Eurel"),
        (("a cat", "-o", "/no/folder/cat.png"), "There is no folder /no/folder"),
        (("a cat", "-o", "cat.xyz"), "'.xyz'"),
    ],
)
def test_what_cannot_be_is_a_sentence_and_status_1(draw, words, sentence):
    status, files, said = draw(*words)
    assert (status, files) == (1, [])
    assert sentence in said
    assert "Traceback" not in said


def test_control_c_ends_after_the_step_and_keeps_what_is_finished(draw, tmp_path):
    first = tmp_path / "cat-1.png"
    done = threading.Event()

    def interrupt_after_the_first_picture():
        while not first.exists() and not done.wait(0.01):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    watching = threading.Thread(target=interrupt_after_the_first_picture)
    watching.start()
    status, files, said = draw("a cat", *SMALL, "--batch-count", "200", "-o", tmp_path / "cat.png")
    done.set()
    watching.join()
    assert status == 130
    assert 1 <= len(files) < 200
    assert all(Image.open(file).size == (64, 64) for file in files)
    assert "Stopping after this step" in said
