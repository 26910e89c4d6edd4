"""`merge` and `convert` on the command line."""

import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from modules.cli import Command, main, parse_command
from modules.flags import Flags
from modules.folders import PROGRAM


@pytest.fixture(autouse=True)
def no_arguments_from_outside(monkeypatch):
    monkeypatch.delenv("COMMANDLINE_ARGS", raising=False)


@pytest.fixture
def data(tmp_path):
    """A data folder with two models, and one that lies elsewhere."""
    folder = tmp_path / "data" / "models" / "Stable-diffusion"
    folder.mkdir(parents=True)
    for number, name in enumerate("ab"):
        save_file({"model.x": torch.full((4,), float(number))}, folder / f"{name}.safetensors")
    save_file({"model.x": torch.full((4,), 8.0)}, tmp_path / "c.safetensors")
    return SimpleNamespace(
        flags=["--data-dir", str(tmp_path / "data")], folder=folder, other=tmp_path / "c.safetensors"
    )


def merging(*words):
    found = parse_command(["merge", *words]).merging
    assert found is not None
    return found.request()


def test_the_number_of_models_says_what_is_computed():
    assert merging("a")["interp_method"] == "No interpolation"
    two = merging("a", "b", "-m", "0.5")
    assert (two["interp_method"], two["primary"], two["secondary"], two["multiplier"]) == (
        "Weighted sum",
        "a",
        "b",
        0.5,
    )
    assert merging("a", "b", "c")["interp_method"] == "Add difference"
    assert merging("a", "b", "c", "--method", "sum")["interp_method"] == "Weighted sum"


def test_a_formula_takes_any_number_of_models():
    found = merging("a", "b", "c", "d", "e", "--formula", "A*0.5 + E*0.5")
    assert (found["interp_method"], found["models"]) == ("Formula", {"D": "d", "E": "e"})


def test_strengths_of_a_lora_are_written_as_in_prompts():
    loras = merging("a", "--lora", "x", "--lora", "y:0.8", "--lora", "z:0.5:-1")["loras"]
    assert loras == [
        {"name": "x"},
        {"name": "y", "text": 0.8, "unet": 0.8},
        {"name": "z", "text": 0.5, "unet": -1},
    ]


def test_the_servers_flags_count_here_too(monkeypatch):
    monkeypatch.setenv("COMMANDLINE_ARGS", "--no-half")
    found = parse_command(["convert", "a", "--save-as", "float16", "--ckpt-dir", "/models"])
    assert isinstance(found, Command) and found.conversion.values["save_as"] == "float16"
    assert (found.flags.no_half, str(found.flags.ckpt_dir)) == (Flags(no_half=True).no_half, "/models")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["merge", "a", "b", "c", "d"], "More than three models need a --formula"),
        (["merge", "a", "--formula", "A", "--method", "sum"], "Either --method or --formula"),
        (["merge", "a", "--lora", "x:y"], "--lora x:y is not understood"),
        (["merge", "--method", "sum"], "required"),
        (["convert", "a", "--ema", "all"], "invalid choice"),
    ],
)
def test_what_is_not_understood_is_said(words, reason, capsys):
    with pytest.raises(SystemExit) as ended:
        parse_command(words)
    assert ended.value.code == 2 and reason in capsys.readouterr().err


def test_a_merge_of_a_name_and_a_file(data, capsys):
    words = ["merge", "a", str(data.other), "-m", "0.5", "-o", "new", *data.flags]
    assert main([*words, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(str(data.folder / "new.safetensors")) and "1 merged" in shown
    assert not (data.folder / "new.safetensors").exists()
    assert main(words) == 0
    assert capsys.readouterr().out == f"{data.folder / 'new.safetensors'}\n"
    assert load_file(data.folder / "new.safetensors")["model.x"].tolist() == [4.0] * 4
    assert main(words) == 1
    assert "There is a file new.safetensors already" in capsys.readouterr().err


def test_a_refused_dry_run_says_why(data, capsys):
    save_file({"model.x": torch.ones(7)}, data.folder / "b.safetensors")
    assert main(["merge", "a", "b", "--dry-run", *data.flags]) == 1
    shown = capsys.readouterr().out
    assert "differs   model.x: A [4], B [7]" in shown and "cannot be merged" in shown


def test_a_conversion(data, capsys):
    assert main(["convert", "a", "--save-as", "bfloat16", *data.flags]) == 0
    assert capsys.readouterr().out == f"{data.folder / 'a-bfloat16.safetensors'}\n"
    assert load_file(data.folder / "a-bfloat16.safetensors")["model.x"].dtype == torch.bfloat16


def test_what_is_wrong_is_a_sentence(data, capsys):
    assert main(["merge", "a", "zzz", *data.flags]) == 1
    assert 'No checkpoint is called "zzz"' in capsys.readouterr().err
    assert main(["merge", "a", "b", "--blocks", "IN99=1", *data.flags]) == 1
    assert 'has no block "IN99"' in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_ctrl_c_ends_it_and_leaves_no_file(data):
    for number, name in enumerate("ab"):
        many = {f"model.{each}": torch.full((3000, 1000), float(number)).half() for each in range(60)}
        save_file(many, data.folder / f"{name}.safetensors")
    command = [sys.executable, str(PROGRAM / "webui.py"), "merge", "a", "b", "-o", "new", *data.flags]
    command += ["--formula", "A*0.5 + B*0.5"]
    started = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=data.folder
    )
    until = time.monotonic() + 60
    while not list(data.folder.glob(".new.*.unfinished")) and time.monotonic() < until:
        time.sleep(0.005)
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert (started.returncode, out, err) == (130, "", "Stopped. No file was written.\n")
    assert sorted(each.name for each in data.folder.iterdir()) == ["a.safetensors", "b.safetensors"]
