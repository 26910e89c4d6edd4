"""`verify` on the command line: a sentence a picture, and an exit status that scripts can use."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from modules.cli import main, parse_command

PROGRAM = Path(__file__).parents[2]
SMALL = ("--steps", "1", "--width", "64", "--height", "64", "--seed", "7")


@pytest.fixture
def flags(tmp_path, parity_models, monkeypatch):
    monkeypatch.delenv("COMMANDLINE_ARGS", raising=False)
    return ("--data-dir", str(tmp_path / "data"), "--ckpt-dir", str(parity_models), "--use-cpu", "all")


@pytest.fixture
def picture(tmp_path, flags):
    path = tmp_path / "cat.png"
    assert (
        main(["generate", "a cat", *SMALL, "--model", "tiny-sd1.safetensors", "-o", str(path), *flags]) == 0
    )
    return path


def changed(path: Path) -> Path:
    with Image.open(path) as opened:
        image = opened.copy()
        image.putpixel((3, 4), (1, 2, 3))
        chunks = PngInfo()
        chunks.add_itxt("easel", opened.text["easel"])
        image.save(path.with_name("changed.png"), pnginfo=chunks)
    return path.with_name("changed.png")


def test_the_same_bits_are_status_0(picture, flags, capsys):
    assert main(["verify", str(picture), *flags]) == 0
    assert capsys.readouterr().out == f"{picture}: The same bits: drawn again, every pixel is what it was.\n"


def test_the_worst_of_several_decides(picture, flags, capsys, tmp_path):
    plain = tmp_path / "plain.png"
    Image.new("RGB", (64, 64)).save(plain)
    other = changed(picture)
    assert main(["verify", str(picture), str(other), *flags]) == 1
    assert main(["verify", str(plain), str(other), str(picture), *flags]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        str(each) for each in (picture, other, plain, other, picture)
    ]
    assert "1x1 pixels at (3, 4)" in lines[1]


def test_what_was_another_stands_below_the_sentence(picture, flags, capsys):
    other = picture.with_name("other.png")
    with Image.open(picture) as opened:
        chunks = PngInfo()
        chunks.add_itxt("easel", opened.text["easel"].replace('"python":"', '"python":"0.'))
        opened.save(other, pnginfo=chunks)
    assert main(["verify", str(other), *flags]) == 0
    assert "\n    python was 0." in capsys.readouterr().out


def test_a_device_that_is_not_there_is_status_2(picture, flags, capsys, monkeypatch):
    monkeypatch.setattr("torch.xpu.is_available", lambda: False)
    assert main(["verify", str(picture), *flags[:4], "--use-ipex"]) == 2
    assert "finds no Intel GPU here" in capsys.readouterr().out


def test_flags_of_the_environment_take_no_picture_away(monkeypatch):
    monkeypatch.setenv("COMMANDLINE_ARGS", "--use-cpu all")
    found = parse_command(["verify", "a.png", "b.png", "--no-half"])
    assert found.to_verify == (Path("a.png"), Path("b.png"))
    assert list(found.flags.use_cpu) == ["all"]


@pytest.mark.parametrize(
    "words", [["verify"], ["verify", "--no-half"], ["verify", "a.png", "--no-such-flag"]]
)
def test_what_is_not_understood_is_status_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        parse_command(words)
    assert ended.value.code == 2
    assert "webui.sh verify" in capsys.readouterr().err


def test_the_program_itself_verifies(picture, flags):
    done = subprocess.run(
        [sys.executable, str(PROGRAM / "webui.py"), "verify", str(picture), *flags],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=picture.parent,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{picture}: The same bits")
