"""The command line."""

import dataclasses
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modules.argument_words import words_of_environment
from modules.flags import Flags, option_string, parse_flags, unused_flags, with_absolute_paths

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
        (
            ["--styles-file", "/a.csv", "--styles-file", "/b.csv"],
            "styles_file",
            (Path("/a.csv"), Path("/b.csv")),
        ),
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
        (r"--ckpt-dir D:\models\new", True, ["--ckpt-dir", r"D:\models\new"]),
        (r'--ckpt-dir "D:\my models\"', True, ["--ckpt-dir", "D:\\my models\\"]),
        (r'--ckpt-dir D:\"my models"\sd', True, ["--ckpt-dir", r"D:\my models\sd"]),
        (r"--ckpt-dir 'D:\my models'", True, ["--ckpt-dir", r"D:\my models"]),
        ("--data-dir /x/o'brien", False, ["--data-dir", "/x/o'brien"]),
        (
            "--data-dir /x/o'brien --ckpt-dir /y/o'neill",
            False,
            ["--data-dir", "/x/o'brien", "--ckpt-dir", "/y/o'neill"],
        ),
        (r"--data-dir C:\Users\o'brien\x --api", True, ["--data-dir", r"C:\Users\o'brien\x", "--api"]),
        ("""--data-dir="/x/o'brien/my pictures" """, False, ["--data-dir=/x/o'brien/my pictures"]),
        ("--data-dir='/my pictures'", False, ["--data-dir=/my pictures"]),
        (r'--theme "a \"quoted\" word \\ \n"', False, ["--theme", r'a "quoted" word \ \n']),
        (r"--data-dir /x\"", False, ["--data-dir", '/x"']),
        ('--data-dir /x/7" --api', False, ["--data-dir", '/x/7"', "--api"]),
        ("/x/end\\", False, ["/x/end\\"]),
        ("--ckpt-dir ''", False, ["--ckpt-dir", ""]),
        ("--theme #dark", False, ["--theme", "#dark"]),
        ("--api # the API\n\t--listen #", False, ["--api", "--listen"]),
        ('"--medvram --port 7"', True, ["--medvram", "--port", "7"]),
        ('"--data-dir=/my pictures"', False, ["--data-dir=/my pictures"]),
        ("", False, []),
        (" \r\n ", True, []),
    ],
)
def test_the_environments_words_are_split_as_people_mean_them(text, windows, words):
    assert words_of_environment({"COMMANDLINE_ARGS": text}, windows) == words


@pytest.mark.parametrize("text", ["--data-dir '/x y", '--data-dir "/x y', "--data-dir='/x y", '"'])
def test_a_quotation_mark_without_its_end_is_said(text, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(environment=text)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("COMMANDLINE_ARGS cannot be read: the quotation mark before ")


def test_what_is_wrong_in_the_environment_is_said_with_its_place(capsys):
    with pytest.raises(SystemExit):
        parse(environment="--prot 3")
    assert "did you mean --port? It stands in COMMANDLINE_ARGS." in capsys.readouterr().err


PATHS = ["--data-dir", "--models-dir", "--ckpt", "--ckpt-dir", "--vae-path", "--lora-dir", "--ui-settings-file",
         "--styles-file", "--gradio-allowed-path", "--gradio-auth-path", "--tls-keyfile", "--esrgan-models-path"]  # fmt: skip


def only(value: object) -> object:
    return value[0] if isinstance(value, tuple) else value


@pytest.mark.parametrize("flag", PATHS)
def test_a_relative_path_starts_where_the_person_stands(tmp_path, monkeypatch, flag):
    monkeypatch.chdir(tmp_path)
    name = flag[2:].replace("-", "_")
    assert only(getattr(parse(flag, "d/e"), name)) == tmp_path / "d/e"
    assert only(getattr(parse(environment=f"{flag} d/e"), name)) == tmp_path / "d/e"
    program = {"COMMANDLINE_ARGS": f"{flag}=d/e", "EASEL_ARGS_FOLDER": "/program"}
    assert only(getattr(parse_flags([], program), name)) == Path("/program/d/e")


def test_every_flag_of_a_path_is_known_as_one():
    paths = {field.name for field in dataclasses.fields(Flags) if field.metadata["flag"].is_path}
    named = {field.name for field in dataclasses.fields(Flags) if re.search("dir$|path$|file$", field.name)}
    assert named - paths == {"gfpgan_dir", "subpath"}


def test_flags_that_travel_name_whole_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = with_absolute_paths(Flags(data_dir=Path("mine"), ckpt_dir=(Path("/a"), Path("b")), workers=2))
    assert flags == Flags(data_dir=tmp_path / "mine", ckpt_dir=(Path("/a"), tmp_path / "b"), workers=2)


@pytest.mark.parametrize(
    "name", ["ckpt_dir", "vae_dir", "lora_dir", "lyco_dir", "embeddings_dir", "hypernetwork_dir"]
)
def test_a_folder_of_models_that_is_given_twice_is_two(name):
    flag = "--" + name.replace("_", "-")
    assert getattr(parse(flag, "/a"), name) == Path("/a")
    assert getattr(parse(flag, "/a", flag, "/b", environment=f"{flag} /c"), name) == (
        Path("/c"),
        Path("/a"),
        Path("/b"),
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--data-dir", "/a", "--data-dir=/b"], "--data-dir is given twice, /a and /b; leave one out."),
        (["--ckpt", "/a", "--ckpt", "/b"], "--ckpt is given twice"),
        (["--data-dir", ""], "Argument --data-dir: a path is needed, and there is nothing."),
        (["--ckpt-dir", "~nobody-of-that-name/x"], "nobody's home folder is known by that name"),
    ],
)
def test_a_path_that_cannot_be_meant_is_refused(words, sentence, capsys):
    with pytest.raises(SystemExit):
        parse(*words)
    assert sentence in capsys.readouterr().err


def test_one_folder_of_all_wins_over_that_of_the_environment():
    assert parse("--data-dir", "/a", "--data-dir", "/a", environment="--data-dir /b").data_dir == Path("/a")


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
