"""The command line."""

import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modules.flags import Flags, environment_arguments, option_string, parse_flags, unused_flags

ROOT = Path(__file__).resolve().parents[2]


def parse(*words: str, environment: str = "") -> Flags:
    return parse_flags(words, {"COMMANDLINE_ARGS": environment})


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--port", "7900"], "port", 7900),
        (["--port=7900"], "port", 7900),
        (["--listen"], "listen", True),
        (["--data-dir", "/a b"], "data_dir", Path("/a b")),
        (["--use-cpu", "all"], "use_cpu", ("all",)),
        (["--use-cpu", "SD", "interrogate", "--api"], "use_cpu", ("sd", "interrogate")),
        (["--styles-file", "a.csv", "--styles-file", "b.csv"], "styles_file", ("a.csv", "b.csv")),
        (["--precision", "full"], "precision", "full"),
        (["--disable-tls-verify"], "disable_tls_verify", False),
        (["--ngrok-options", '{"a": 1}'], "ngrok_options", {"a": 1}),
        (["--device-id", "1"], "device_id", "1"),
        (["-f"], "f", True),
    ],
)
def test_a_flag_is_read_as_its_type(words, name, value):
    assert getattr(parse(*words), name) == value


def test_without_flags_everything_is_at_its_default():
    assert parse() == Flags()


def test_every_flag_of_the_field_exists(parity_reference):
    known = json.loads((parity_reference / "cmd-flags.json").read_text())
    assert set(known) <= {field.name for field in dataclasses.fields(Flags)}


def test_a_flag_has_the_fields_default(parity_reference):
    recorded_with_flags = {
        "use_cpu", "port", "skip_version_check", "no_download_sd_model", "disable_safe_unpickle",
        "opt_sdp_no_mem_attention", "ngrok_options",
    }  # fmt: skip
    known = json.loads((parity_reference / "cmd-flags.json").read_text())
    for name, value in known.items():
        if name not in recorded_with_flags and value != "<path>" and value != ["<path>"]:
            assert getattr(Flags(), name) == value, name


def test_the_environment_comes_first_so_that_the_command_line_wins():
    flags = parse("--port", "2", environment="--port 1 --listen")
    assert (flags.port, flags.listen) == (2, True)


@pytest.mark.parametrize(
    ("text", "windows", "words"),
    [
        ("--ckpt-dir '/my models' --api", False, ["--ckpt-dir", "/my models", "--api"]),
        (r"--ckpt-dir /my\ models", False, ["--ckpt-dir", "/my models"]),
        (r"--ckpt-dir D:\models\sd", True, ["--ckpt-dir", r"D:\models\sd"]),
        (r'--ckpt-dir "D:\my models"', True, ["--ckpt-dir", r"D:\my models"]),
        ("--theme #dark", False, ["--theme", "#dark"]),
        ("", False, []),
    ],
)
def test_the_environments_words_are_split_as_the_systems_shell_does(text, windows, words):
    assert environment_arguments({"COMMANDLINE_ARGS": text}, windows) == words


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--medvran"], "There is no flag --medvran; did you mean --medvram?"),
        (["--prot=7"], "There is no flag --prot; did you mean --port?"),
        (["--qqqqqqqqqq"], "There is no flag --qqqqqqqqqq."),
        (["cat"], "The word 'cat' on the command line is not understood"),
        (["--port", "many"], "Argument --port: invalid int value: 'many'."),
        (["--precision", "double"], "invalid choice: 'double'"),
        (["--medvram-sd"], "did you mean --medvram-sdxl?"),
    ],
)
def test_what_is_not_understood_ends_with_status_2_and_a_sentence(words, sentence, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(*words)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_flags_without_effect_are_named_with_the_reason():
    given = parse("--no-gradio-queue", "--port", "3")
    assert unused_flags(given) == {"--no-gradio-queue": "Work is always queued."}


def test_the_help_names_every_flag(capsys):
    with pytest.raises(SystemExit) as ended:
        parse("--help")
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert [
        name for field in dataclasses.fields(Flags) if (name := option_string(field.name)) not in text
    ] == []


def test_the_help_needs_neither_torch_nor_a_second():
    code = "import sys; from modules.flags import parse_flags\ntry: parse_flags(['--help'])\nfinally:\n"
    code += " assert not {'torch', 'pydantic', 'gradio'} & set(sys.modules)"
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--data-dir" in done.stdout
    assert time.monotonic() - started < 1


def test_every_flag_has_a_sentence_of_help():
    helps = {field.name: field.metadata["flag"].help for field in dataclasses.fields(Flags)}
    assert {name: text for name, text in helps.items() if len(text) < 12 or not text.endswith(".")} == {}
