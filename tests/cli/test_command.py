"""Understanding the command line."""

import json
from pathlib import Path

import pytest
import torch

from modules.cli import Command, Drawing, main, parse_command
from modules.flags import Flags


@pytest.fixture(autouse=True)
def no_arguments_from_outside(monkeypatch):
    monkeypatch.delenv("COMMANDLINE_ARGS", raising=False)


def drawing(*words: str) -> Drawing:
    found = parse_command(["generate", *words]).drawing
    assert found is not None
    return found


def test_without_generate_it_is_the_server():
    assert parse_command(["--listen"]) == Command(Flags(listen=True))


def test_a_prompt_is_enough():
    found = drawing("a cat face")
    assert (found.prompt, found.steps, found.seed, found.width, found.output) == (
        "a cat face",
        20,
        -1,
        None,
        None,
    )


def test_the_readmes_command_is_understood():
    found = drawing("a cat face", "--steps", "20", "--seed", "1", "-o", "cat.png")
    assert (found.seed, found.output) == (1, Path("cat.png"))


@pytest.mark.parametrize(
    "words", [("--steps", "8", "a cat"), ("a cat", "--steps", "8"), ("--steps=8", "a cat")]
)
def test_the_prompt_may_stand_anywhere(words):
    assert (drawing(*words).prompt, drawing(*words).steps) == ("a cat", 8)


def test_negative_guidance_is_a_number_and_no_flag():
    assert drawing("a cat", "--cfg-scale", "-3.5").cfg_scale == -3.5


def test_the_servers_flags_count_when_drawing(monkeypatch):
    monkeypatch.setenv("COMMANDLINE_ARGS", "--data-dir /big --no-half")
    flags = parse_command(["generate", "a cat", "--ckpt-dir", "/models"]).flags
    assert (flags.data_dir, flags.ckpt_dir, flags.no_half) == (Path("/big"), Path("/models"), True)


def test_styles_may_be_repeated():
    assert drawing("a cat", "--style", "one", "--style", "two").style == ("one", "two")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "The following arguments are required: prompt."),
        (["a", "cat"], "The word 'cat' on the command line is not understood"),
        (["a cat", "--stpes", "3"], "There is no flag --stpes; did you mean --steps?"),
        (["a cat", "--steps", "many"], "Argument --steps: invalid int value: 'many'."),
    ],
)
def test_what_is_not_understood_ends_with_status_2_and_a_sentence(words, sentence, capsys):
    with pytest.raises(SystemExit) as ended:
        parse_command(["generate", *words])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_server_for_tests_draws_on_the_processor_and_opens_no_browser():
    flags = parse_command(["--test-server", "--autolaunch"]).flags
    assert (flags.api, flags.use_cpu, flags.autolaunch) == (True, ("all",), False)


def test_the_report_about_the_machine_is_a_file(tmp_path, parity_models, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["--dump-sysinfo", "--data-dir", str(tmp_path), "--ckpt-dir", str(parity_models)]) == 0
    report = json.loads(Path(capsys.readouterr().out.strip()).read_text(encoding="utf-8"))
    assert report["Torch env info"]["torch_version"] == torch.__version__
