"""Pictures from pictures on the command line: one, several, with a mask, and a whole folder."""

import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modules.cli import main, parse_command

SMALL = ("--steps", "1", "--seed", "7")


@pytest.fixture
def draw(parity_models, tmp_path, monkeypatch, capsys):
    """Run `generate` with a data folder of its own; gives status, the files it named, and what it said."""
    monkeypatch.delenv("COMMANDLINE_ARGS", raising=False)
    own = ("--data-dir", tmp_path / "data", "--ckpt-dir", parity_models, "--model", "tiny-sd1.safetensors")

    def run(*words: str | Path) -> tuple[int, list[Path], str]:
        status = main(["generate", *map(str, ("a cat", *SMALL, *words, *own, "--use-cpu", "all"))])
        out, err = capsys.readouterr()
        return status, [Path(line) for line in out.splitlines()], err

    return run


@pytest.fixture
def picture(tmp_path):
    """A function that writes a picture of noise."""

    def picture(name: str, size: tuple[int, int] = (80, 64), seed: int = 0) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(values).save(path)
        return path

    return picture


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), dtype=int)


def test_a_picture_is_redrawn_at_its_own_size(draw, picture, tmp_path):
    status, files, _ = draw("--init-image", picture("in.png", (83, 64)), "-o", tmp_path / "out.png")
    assert (status, files) == (0, [tmp_path / "out.png"])
    assert Image.open(files[0]).size == (80, 64)
    assert "Denoising strength: 0.75" in Image.open(files[0]).text["parameters"]


def test_a_mask_keeps_what_is_black(draw, picture, tmp_path):
    mask = Image.new("L", (80, 64))
    mask.paste(255, (0, 0, 40, 64))
    mask.save(tmp_path / "mask.png")
    given = picture("in.png")
    words = ("--mask", tmp_path / "mask.png", "--mask-blur", "0", "--denoising-strength", "1")
    _, [made], _ = draw("--init-image", given, *words, "-o", tmp_path / "out.png")
    assert np.array_equal(pixels(made)[:, 40:], pixels(given)[:, 40:])
    assert not np.array_equal(pixels(made)[:, :40], pixels(given)[:, :40])


def test_each_picture_of_a_batch_may_start_from_its_own(draw, picture, tmp_path):
    words = ("--init-image", picture("a.png"), "--init-image", picture("b.png", seed=1), "--batch-size", "2")
    _, files, _ = draw(*words, "--denoising-strength", "0", "--scale-by", "2", "-o", tmp_path / "out.png")
    assert [Image.open(file).size for file in files] == [(160, 128)] * 2
    assert not np.array_equal(pixels(files[0]), pixels(files[1]))


def test_a_folder_is_redrawn_and_what_is_broken_is_named(draw, picture, tmp_path):
    picture("in/a.png"), picture("in/c.jpg", (64, 96))
    (tmp_path / "in" / "b.png").write_bytes(b"no picture")
    folders = ("--batch-input", tmp_path / "in", "--batch-output", tmp_path / "out")
    status, files, said = draw(*folders)
    assert status == 1
    assert files == [tmp_path / "out" / "a.png", tmp_path / "out" / "c.png"]
    assert [Image.open(file).size for file in files] == [(80, 64), (64, 96)]
    assert "b.png: " in said and said.endswith("3 of 3, 1 failed: b.png.\n")
    picture("in/b.png")
    assert draw(*folders)[:2] == (0, [tmp_path / "out" / "b.png"]), "only what failed is tried again"


def test_after_control_c_the_same_command_goes_on_where_it_stopped(draw, picture, tmp_path):
    for number in range(12):
        picture(f"in/{number}.png", (64, 64))
    words = ("--batch-input", tmp_path / "in", "--batch-output", tmp_path / "out")
    done = threading.Event()

    def interrupt_after_the_first_picture():
        while not (tmp_path / "out" / "0.png").exists() and not done.wait(0.01):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    watching = threading.Thread(target=interrupt_after_the_first_picture)
    watching.start()
    status, first, _ = draw(*words)
    done.set()
    watching.join()
    assert status == 130 and 1 <= len(first) < 12
    status, rest, _ = draw(*words)
    assert status == 0
    assert sorted(path.stem for path in first + rest) == sorted(map(str, range(12)))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--mask", "m.png"), "--init-image"),
        (("--batch-output", "out"), "--batch-input"),
        (("--batch-input", "nowhere"), "no folder nowhere"),
        (("--batch-input", ".", "--init-image", "a.png"), "--batch-input goes without"),
    ],
)
def test_options_that_contradict_end_the_program(words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        parse_command(["generate", "a cat", *words])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_picture_that_is_not_there_is_a_sentence(draw):
    status, _, said = draw("--init-image", "nowhere.png")
    assert status == 1
    assert "nowhere.png cannot be read" in said
